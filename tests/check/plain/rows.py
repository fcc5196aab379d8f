"""The rows of a plan, one by one: everybody stands once, reasons hold, and every cell says what the instance says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from matcher.model import Accommodation, Household
from matcher.result import REASONS, TERMS, PlacementRow, UnplacedRow
from tests.check.plain.costs import Account, changed_from
from tests.check.plain.rules import RULES, Pair
from tests.check.plain.ties import nearest_tie_km10
from tests.check.plain.world import World

Where = Mapping[str, Accommodation]


def set_aside_households(world: World) -> dict[str, set[int | None]]:
    """Households whose own row is quarantined, as far as its id could be read, and the persons they have."""
    persons: dict[str, set[int | None]] = {}
    for row in world.instance.set_aside:
        if row.id is not None and row.id not in world.households and "households" in re.split(r"[^a-z_]+", row.file.lower()):
            twice = row.id in persons
            persons.setdefault(row.id, set()).add(None if twice else row.persons)  # nobody knows which of two rows is right
    return persons


def check_roll_call(world: World, placed: Sequence[PlacementRow], unplaced: Sequence[UnplacedRow]) -> list[str]:
    """Every household once, and nobody else; every offer known."""
    seen = Counter(row.household_id for row in placed) + Counter(row.household_id for row in unplaced)
    known = world.households.keys() | set_aside_households(world).keys()
    faults = [f"[once] {i} stands {seen[i]} times in the plan" for i in sorted(known) if seen[i] != 1]
    faults += [f"[unknown] there is no household {i}" for i in sorted(seen.keys() - known)]
    for row in placed:
        if row.accommodation_id not in world.offers:
            faults.append(f"[unknown] {row.household_id} is placed in an offer that does not exist")
        if row.household_id in known and row.household_id not in world.households:
            faults.append(f"[left_out] {row.household_id} is placed, but its row is quarantined")
    return faults


def check_unplaced_row(world: World, row: UnplacedRow) -> list[str]:
    """Persons, priority and reason of who has no place."""
    i = row.household_id
    aside = set_aside_households(world).get(i)
    household = world.households.get(i)
    faults: list[str] = []
    if household is not None:
        if (row.persons, row.priority) != (household.persons, household.priority):
            faults.append(f"[persons] {i} has {household.persons} persons and priority {household.priority}")
        if i in world.fixed:
            faults.append(f"[fixed] {i} is unplaced, but is kept in {world.offer_name(i, world.fixed[i])}")
        else:
            faults += _check_reason(world, row)
    elif aside is not None:
        if row.persons not in aside:
            faults.append(f"[persons] {i} does not have {row.persons} persons")
        if row.reason != "quarantined":
            faults.append(f"[reason] {i} is quarantined, not {row.reason}")
    return faults


def _check_reason(world: World, row: UnplacedRow) -> list[str]:
    allowed = allowed_reasons(world, world.households[row.household_id])
    if row.reason in allowed:
        return []
    return [f"[reason] {row.household_id} is unplaced for {' or '.join(allowed)}, not {row.reason or 'no reason'}"]


def allowed_reasons(world: World, h: Household) -> tuple[str, ...]:
    """The first reason code that holds; several where only a search could tell them apart."""
    i = h.household_id
    if i in world.left_out:
        return (world.left_out[i],)
    party = world.party_of[i]
    offers = [a for a in world.offers.values() if all(rule(Pair(world, party, h, a)) for code, rule in RULES.items() if code != "tie")]
    if not offers:
        return ("no_eligible",)
    if not any(RULES["tie"](Pair(world, party, h, a)) for a in offers):
        return ("tie",)
    if any(world.is_stranded(member) for member in party.ids):
        return ("split_pair",)
    # Required ties between free households can leave no joint choice, which only a search over both could tell.
    bound = any(row.binds for member in party.ids for row in world.links_of.get(member, ()))
    return REASONS[REASONS.index("tie" if bound else "split_pair") :]


def check_placed_row(world: World, row: PlacementRow, where: Where, account: Account) -> list[str]:
    """Every cell of a placement, but for rooms (see `check_rooms`) and the alternatives."""
    i, a = row.household_id, where[row.household_id]
    h = world.households[i]
    leg = world.travel.leg(h.spot, a.spot)
    standing = world.standing[i].status if i in world.fixed else "proposed"
    sites = (a.site_id,) if a.site_id else ("", a.accommodation_id)
    cells: list[tuple[str, object, object]] = [
        ("persons", row.persons, h.persons),
        ("row_status", row.status, standing),
        ("km", row.km10, leg.km10),
        ("minutes", row.minutes, leg.minutes),
        ("changed_from", row.changed_from, changed_from(world, h, a)),
        ("protected", row.protected, i in world.protected),
        ("tie_km", row.tie_km10, nearest_tie_km10(world, h, a, where)),
    ]
    wrong = [
        (code, "" if i in world.protected else f": {is_} stands where {should} is right") for code, is_, should in cells if is_ != should
    ]
    faults = [f"[{code}] {i}: its cell {code} is wrong{values}" for code, values in wrong]
    if row.site_id not in sites:
        faults.append(f"[site_id] {i}: {world.offer_name(i, a.accommodation_id)} is not at the site that stands there")
    if row.place != (a.spot.name or f"{a.spot.lat:.4f} {a.spot.lon:.4f}"):
        faults.append(f"[place] {i}: its cell place is not where its offer is")
    terms = account.rows[i]
    for term in (*TERMS, *sorted(row.terms.terms.keys() - set(TERMS))):
        if row.terms[term] != terms.get(term, 0):
            values = "wrong" if i in world.protected else f"{terms.get(term, 0)}, not {row.terms[term]}"
            faults.append(f"[cost] {i} in {world.offer_name(i, a.accommodation_id)}: {term} is {values}")
    return faults

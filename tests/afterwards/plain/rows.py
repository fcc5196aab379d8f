"""From a plan as positions to the rows people read: placements with their costs and alternatives, and the unplaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from matcher import costs, links
from matcher.compile import Compiled
from matcher.errors import InternalError
from matcher.model import Accommodation, Instance, SetAside, Spot, Tie
from matcher.places.travel import Travel, same_place, travel_model
from matcher.policy import Policy
from matcher.problem import UNPLACED
from matcher.result import TERMS, Alternative, Cost, Placement, PlacementRow, Plan, UnplacedRow
from matcher.rules import keeps_place
from matcher.wording.tables import LEFT_OUT_WORDS
from tests.afterwards.plain.alternatives import Room
from tests.afterwards.plain.evaluate import cost_by_stage, missing
from tests.afterwards.plain.reasons import Reasons

NEAR_KM = 30
"""A soft `near` tie counts as kept within this many km: a visit there and back within a day."""


def placement_map(compiled: Compiled, plan: Plan) -> dict[str, Placement]:
    """Where everybody placed is, free or fixed, with the rooms of their party."""
    homes: dict[str, Placement] = {}
    for q, party in enumerate(compiled.problem.parties):
        for h in party:
            if plan.home[h] != UNPLACED:
                home = compiled.offers[plan.home[h]]
                homes[compiled.households[h]] = Placement(home, _rooms(compiled, home, plan.rooms[q]) if h == min(party) else ())
    for i, offer in enumerate(compiled.fixed_home):
        household_id = compiled.households[compiled.free + i]
        homes[household_id] = Placement(compiled.offers[offer], ())
    for party_ids in compiled.roles.fixed_parties:
        first = party_ids[0]
        homes[first] = Placement(homes[first].accommodation_id, compiled.fixed_rooms[first])
    return homes


def _rooms(compiled: Compiled, accommodation_id: str, chosen: tuple[int, ...]) -> tuple[int, ...]:
    """Rooms that a free party takes: those chosen in a shared offer, all of them in one that is not shared."""
    offer = compiled.offer_of[accommodation_id]
    return chosen if offer.shared else tuple(sorted(offer.rooms or ()))


class Rows:
    """Builds the rows of one plan. Raises InternalError if the rows do not add up to the plan's cost."""

    def __init__(self, compiled: Compiled, plan: Plan, with_alternatives: bool = True) -> None:
        self.compiled, self.plan = compiled, plan
        self.homes = placement_map(compiled, plan)
        self.room = Room(compiled.problem, plan)
        self.party_of = {h: q for q, party in enumerate(compiled.problem.parties) for h in party}
        self.with_alternatives = with_alternatives
        self.ties_of: dict[str, list[Tie]] = {}
        for tie in compiled.instance.ties:
            self.ties_of.setdefault(tie.household_id, []).append(tie)
        self.link_costs = self._link_costs()
        self.shy = self._shy()

    def offer_of(self, household_id: str) -> Accommodation | None:
        """The accommodation of a placed household."""
        home = self.homes.get(household_id)
        return None if home is None else self.compiled.offer_of[home.accommodation_id]

    def _link_costs(self) -> dict[str, int]:
        """Cost of the soft links between placed households, by the household that they are charged to."""
        charged: dict[str, int] = {}
        for tie in self.compiled.instance.ties:
            if tie.other_household_id is None or tie.binds:
                continue
            at_g, at_h = self.offer_of(tie.household_id), self.offer_of(tie.other_household_id)
            if at_g is None or at_h is None:
                continue
            g, h = self.compiled.household_of[tie.household_id], self.compiled.household_of[tie.other_household_id]
            cost = links.link_cost(tie, g, h, at_g, at_h, self.compiled.travel, self.compiled.policy)
            protected = self.compiled.roles.protected
            only_other = tie.other_household_id in protected and tie.household_id not in protected
            payer = tie.other_household_id if only_other else tie.household_id
            charged[payer] = charged.get(payer, 0) + cost
        return charged

    def _shy(self) -> set[str]:
        """Unprotected households linked to a protected one: costs of moving them would tell where that one is."""
        protected = self.compiled.roles.protected
        shy = set()
        for tie in self.compiled.instance.ties:
            if tie.other_household_id is not None:
                pair = {tie.household_id, tie.other_household_id}
                if pair & protected:
                    shy |= pair - protected
        return shy

    def placements(self) -> tuple[PlacementRow, ...]:
        """One row for each placed household, sorted by id."""
        return tuple(self._row(household_id) for household_id in sorted(self.homes))

    def _row(self, household_id: str) -> PlacementRow:
        compiled, home = self.compiled, self.homes[household_id]
        household, offer = compiled.household_of[household_id], compiled.offer_of[home.accommodation_id]
        standing = compiled.roles.fixed.get(household_id)
        leg = compiled.travel.leg(household.spot, offer.spot)
        before = compiled.roles.proposed.get(household_id, "")
        tie_km10, kept = self._ties(household_id, offer)
        return PlacementRow(
            household_id=household_id,
            accommodation_id=offer.accommodation_id,
            site_id=offer.site_id or "",
            place=place_name(offer.spot),
            persons=household.persons,
            rooms=home.rooms,
            status="proposed" if standing is None else standing.status,
            km10=leg.km10,
            minutes=leg.minutes,
            terms=self._terms(household_id),
            tie_km10=tie_km10,
            ties_kept=kept,
            alternatives=self._alternatives(household_id),
            changed_from=before if before != offer.accommodation_id else "",
            protected=household_id in compiled.roles.protected,
        )

    def _terms(self, household_id: str) -> Cost:
        compiled = self.compiled
        position = compiled.positions[household_id]
        home = self.homes[household_id]
        terms = compiled.term_cost(position, compiled.offer_positions[home.accommodation_id])
        terms["linked"] = self.link_costs.get(household_id, 0)
        offer = compiled.offer_of[home.accommodation_id]
        if home.rooms and offer.shared and offer.rooms is not None:
            persons = sum(compiled.household_of[h].persons for h in compiled.party_ids(household_id))
            terms["spare"] += costs.spare(sum(home.rooms) - persons, compiled.policy)
        return Cost({term: terms[term] for term in TERMS if terms.get(term)})

    def _alternatives(self, household_id: str) -> tuple[Alternative, ...]:
        position = self.compiled.positions[household_id]
        if not self.with_alternatives or position >= self.compiled.free or household_id in self.shy:
            return ()
        found = self.room.next_best(self.party_of[position])
        return tuple(Alternative(self.compiled.offers[offer], added) for added, offer in found)

    def _ties(self, household_id: str, offer: Accommodation) -> tuple[int | None, int]:
        """(km to the nearest tie, number of ties kept). Ties to a protected household are told on its own side only."""
        compiled, distances, kept = self.compiled, [], 0
        protected = compiled.roles.protected
        for tie in self.ties_of.get(household_id, ()):
            if tie.other_household_id in protected and household_id not in protected:
                continue
            seen = tie_state(tie, offer, compiled.offer_of, self.offer_of, compiled.travel)
            if seen is not None:
                km10, holds = seen
                kept += holds
                if tie.kind != "apart":
                    distances.append(km10)
        return min(distances, default=None), kept

    def unplaced(self) -> tuple[UnplacedRow, ...]:
        """One row for each household without a place, sorted by id; the left out and the quarantined among them."""
        compiled, rows = self.compiled, []
        reasons = Reasons(compiled, self.plan)
        for h, home in enumerate(self.plan.home):
            if home == UNPLACED:
                code = reasons.reason(h)
                rows.append(self._unplaced_row(compiled.households[h], code, reasons.sentence(h, code)))
        for household_id, code in compiled.roles.left_out.items():
            rows.append(self._unplaced_row(household_id, code, LEFT_OUT_WORDS[code]))
        return tuple(sorted([*rows, *self._quarantined()], key=lambda row: row.household_id))

    def _unplaced_row(self, household_id: str, code: str, sentence: str) -> UnplacedRow:
        household = self.compiled.household_of[household_id]
        return UnplacedRow(household_id, household.persons, household.priority, code, sentence)

    def _quarantined(self) -> Iterable[UnplacedRow]:
        """Households whose own row is set aside, where its id could be read; an id that stands twice has no known persons."""
        seen: dict[str, SetAside | None] = {}
        for row in self.compiled.instance.set_aside:
            if row.file.removesuffix(".csv") == "households" and row.id and row.id not in self.compiled.household_of:
                seen[row.id] = None if row.id in seen else row
        sentence = "Its own row is faulty and was set aside; see quarantined.csv, mend the row and run again."
        return [
            UnplacedRow(i, None if row is None else row.persons, None if row is None else row.priority, "quarantined", sentence)
            for i, row in seen.items()
        ]


def plan_of_rows(compiled: Compiled, placements: Iterable[PlacementRow]) -> Plan:
    """The plan as positions that the rows of a run stand for."""
    rows = {row.household_id: row for row in placements}
    problem = compiled.problem
    home = [UNPLACED] * len(problem.persons)
    rooms: list[tuple[int, ...]] = [()] * len(problem.parties)
    for q, party in enumerate(problem.parties):
        for h in party:
            row = rows.get(compiled.households[h])
            if row is not None:
                home[h] = compiled.offer_positions[row.accommodation_id]
                if problem.sizes[home[h]] is not None and row.rooms:
                    rooms[q] = row.rooms
    return Plan(tuple(home), tuple(rooms))


def tie_state(
    tie: Tie,
    offer: Accommodation,
    offer_of: Mapping[str, Accommodation],
    home_of: Callable[[str], Accommodation | None],
    travel: Travel,
) -> tuple[int, bool] | None:
    """(km in tenths, is it kept) of a tie whose household is in `offer`; None where the other household has no place."""
    if tie.spot is not None:
        km10 = travel.km10(tie.spot, offer.spot)
        holds = tie.kind != "near" and keeps_place(tie.kind, tie.max_km, km10, same_place(tie.spot, offer.spot))
    elif tie.accommodation_id is not None:
        target = offer_of[tie.accommodation_id]
        km10 = travel.km10(target.spot, offer.spot)
        holds = tie.kind != "near" and links.link_kept(tie, target, offer, travel)
    else:
        other = home_of(tie.other_household_id or "")
        if other is None:
            return None
        km10 = travel.km10(offer.spot, other.spot)
        holds = tie.kind != "near" and links.link_kept(tie, offer, other, travel)
    return km10, _near(tie, km10) if tie.kind == "near" else holds


def ties_count(instance: Instance, policy: Policy, placements: Iterable[PlacementRow]) -> tuple[int, int, dict[str, dict[str, int]]]:
    """(kept, all, by kind) over the ties of placed households whose other end is placed too; none of or to protected ones."""
    travel = Travel(instance.travel, travel_model(policy.travel.model))
    offer_of = {a.accommodation_id: a for a in instance.accommodations}
    home = {row.household_id: offer_of[row.accommodation_id] for row in placements if not row.protected}
    by_kind: dict[str, dict[str, int]] = {}
    for tie in instance.ties:
        at = home.get(tie.household_id)
        seen = None if at is None else tie_state(tie, at, offer_of, home.get, travel)
        if seen is not None:
            count = by_kind.setdefault(tie.kind, {"kept": 0, "all": 0})
            count["all"] += 1
            count["kept"] += seen[1]
    table = {kind: by_kind[kind] for kind in sorted(by_kind)}
    return sum(c["kept"] for c in table.values()), sum(c["all"] for c in table.values()), table


def _near(tie: Tie, km10: int) -> bool:
    limit = tie.max_km if tie.binds and tie.max_km is not None else Decimal(NEAR_KM)
    return km10 <= 10 * limit


def place_name(spot: Spot) -> str:
    """How a reader knows the place: its name, else its coordinates."""
    return spot.name or f"{spot.lat:.4f} {spot.lon:.4f}"


def plan_cost(compiled: Compiled, plan: Plan, placements: Iterable[PlacementRow]) -> Cost:
    """The plan's cost by term. Raises InternalError if it is not what the problem says that the plan costs."""
    problem, total = compiled.problem, Cost()
    for row in placements:
        total = total + row.terms
    out = sum(int(problem.unplaced_cost[h]) for h, home in enumerate(plan.home) if home == UNPLACED)
    short = sum(f.cost(missing(problem, plan, f.wanted - f.fixed, f.households)) for f in problem.floors)
    total = total + Cost({"unplaced": out, "floors": short})
    if total.total != sum(cost_by_stage(problem, plan)):
        raise InternalError(f"the rows add up to {total.total}, the plan to {sum(cost_by_stage(problem, plan))}")
    return total

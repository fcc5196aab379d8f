"""What each household is in this run: fixed, left out, or free; who forms a party; who is protected.

Everything here follows from the rows and the date of the run alone; no costs, no eligibility. MODEL.md: Parties, fixed,
Fixed things, Protection; FORMAT.md: consent, members.csv, placements.csv, overrides.csv.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from matcher.columns import codes
from matcher.errors import ContradictionError
from matcher.i18n import mark
from matcher.lookup import ById, where
from matcher.model import Accommodation, Household, Instance, Notice, Override, Standing, Tie
from matcher.places.travel import same_place

ADULT = 18

EXPIRED = mark("{action} of {id} ended on {day} and is not used")
NOT_USED = mark("the placement of {id} ({status}) is kept; the {action} is not used")
WITHOUT_CONSENT = mark("{id} keeps its {status} placement without a recorded consent and is only counted")
PIN_NOT_USED = mark("the pin of {id} is not used: a row that names the household is quarantined")


@dataclass(frozen=True)
class Roles:
    """Who is what in the run of `date`. All ids are household ids.

    left_out: id → reason. fixed: id → its accepted or moved-in placement. parties: free households that are placed
    together or not at all, each sorted, all sorted by their first id. fixed_parties: the same for fixed ones standing in
    one accommodation. bereft: free, but bound to somebody who is left out, so they stay unplaced (`split_pair`).
    pins, forbids: decisions in force. proposed: free households that had a proposal. held: on hold and not fixed. protected: transitively.
    """

    date: dt.date
    left_out: Mapping[str, str]
    fixed: Mapping[str, Standing]
    parties: tuple[tuple[str, ...], ...]
    fixed_parties: tuple[tuple[str, ...], ...]
    bereft: frozenset[str]
    pins: Mapping[str, Override]
    forbids: Mapping[str, tuple[Override, ...]]
    proposed: Mapping[str, str]
    held: frozenset[str]
    protected: frozenset[str]
    notices: tuple[Notice, ...]


def assign_roles(instance: Instance, households: ById[Household], offers: ById[Accommodation], date: dt.date) -> Roles:
    """Sort all households into their roles; `households` and `offers` are the instance's.

    Raises ContradictionError for decisions that contradict each other on paper.
    """
    standing = {s.household_id: s for s in instance.standing}
    in_force, notices = _in_force(instance.overrides, date)
    fixed = {h: s for h, s in standing.items() if _is_kept(households[h], s)}
    pins = _pins(in_force, fixed, offers, households)
    left_out = _left_out(instance, households, fixed, in_force, set(pins))
    notices += _fixed_notices(in_force, fixed, households, pins, left_out)
    pins = {h: pin for h, pin in pins.items() if h not in fixed and h not in left_out}
    free = [h for h in sorted(households.ids) if h not in fixed and h not in left_out]
    pairs = [tie for tie in pair_ties(instance) if tie.kind != "apart" and tie.binds]
    parties = _joined(free, pairs)
    forbids: dict[str, list[Override]] = defaultdict(list)
    for override in in_force:
        if override.action == "forbid":
            forbids[override.household_id].append(override)
    return Roles(
        date=date,
        left_out=left_out,
        fixed=fixed,
        parties=parties,
        fixed_parties=_fixed_parties(fixed, pairs),
        bereft=_bereft(parties, pairs, left_out),
        pins=pins,
        forbids={h: tuple(rows) for h, rows in forbids.items()},
        proposed={h: s.accommodation_id for h, s in standing.items() if s.status == "proposed" and h not in left_out},
        held=frozenset(o.household_id for o in in_force if o.action == "hold" and o.household_id not in fixed),
        protected=_protected(instance, households, pairs),
        notices=tuple(notices),
    )


def pair_ties(instance: Instance) -> list[Tie]:
    """The ties between two households."""
    return [instance.ties[i] for i in where(instance.ties, "other_household_id", lambda other: other is not None).tolist()]


def _in_force(overrides: Iterable[Override], date: dt.date) -> tuple[list[Override], list[Notice]]:
    current, notices = [], []
    for override in overrides:
        if override.expires_at is None or override.expires_at >= date:
            current.append(override)
        else:
            told = {"action": override.action, "id": override.household_id, "day": override.expires_at.isoformat()}
            notices.append(Notice.of("overrides.csv", "override_expired", EXPIRED, **told))
    return current, notices


def _is_kept(household: Household, standing: Standing) -> bool:
    """A fact that stays: moved in, or accepted and the consent was not taken back."""
    return standing.status == "moved_in" or (standing.status == "accepted" and household.consent != "no")


def _pins(
    in_force: list[Override], fixed: Mapping[str, Standing], offers: Mapping[str, Accommodation], households: Mapping[str, Household]
) -> dict[str, Override]:
    """The one pin of each pinned household. Two pins, a pin with a hold or forbid, or against a fact, contradict."""
    by_household: dict[str, list[Override]] = defaultdict(list)
    for override in in_force:
        by_household[override.household_id].append(override)
    sentences, ids, pins = [], [], {}
    for household_id, rows in sorted(by_household.items()):
        wanted = [row for row in rows if row.action == "pin"]
        if not wanted:
            continue
        pins[household_id] = wanted[0]
        others = sorted({row.action for row in rows} - {"pin"})
        if len(wanted) > 1:
            sentences.append(f"{household_id} has {len(wanted)} pins")
        elif others:
            sentences.append(f"{household_id} has a pin and a {' and a '.join(others)}")
        elif household_id in fixed and not _pin_meets(wanted[0], offers[fixed[household_id].accommodation_id]):
            status = fixed[household_id].status.replace("_", " ")
            sentences.append(f"{household_id} is pinned against its {status} placement")
        elif household_id not in fixed and households[household_id].consent != "yes":
            sentences.append(f"{household_id} is pinned but has not consented to be matched (rule no_consent)")
        else:
            continue
        ids.append(household_id)
    if sentences:
        raise ContradictionError("decisions in overrides.csv contradict each other: " + "; ".join(sentences), ids)
    return pins


def _pin_meets(pin: Override, offer: Accommodation) -> bool:
    if pin.accommodation_id is not None:
        return pin.accommodation_id == offer.accommodation_id
    return pin.spot is not None and same_place(pin.spot, offer.spot)


def _left_out(
    instance: Instance, households: ById[Household], fixed: Mapping[str, Standing], in_force: list[Override], pinned: set[str]
) -> dict[str, str]:
    """Reason by id, in the order of the rows. Only households that something speaks against are looked at one by one."""
    held = {o.household_id for o in in_force if o.action == "hold"}
    unasked = {households.ids[i] for i in where(instance.households, "consent", lambda consent: consent != "yes").tolist()}
    young = _without_adult(instance, households)
    reasons = {}
    suspects = unasked | young | ((held | instance.left_out) & households.keys())
    for household_id in sorted(suspects, key=households.at):
        if household_id in fixed:
            continue
        if household_id in unasked:
            reasons[household_id] = "no_consent"
        elif household_id in instance.left_out:
            reasons[household_id] = "quarantined"
        elif household_id in young and household_id not in pinned:
            reasons[household_id] = "no_adult"
        elif household_id in held:
            reasons[household_id] = "held"
    return reasons


def _without_adult(instance: Instance, households: ById[Household]) -> set[str]:
    """Households whose members are known, and none of them as an adult."""
    home, ids = codes(instance.members, "household_id")
    adults = where(instance.members, "age", lambda age: age is not None and age >= ADULT)
    led = np.zeros(len(ids), dtype=np.bool_)
    led[home[adults]] = True
    return {ids[i] for i in np.flatnonzero(~led).tolist()} & households.keys()


def _fixed_notices(
    in_force: list[Override],
    fixed: Mapping[str, Standing],
    households: Mapping[str, Household],
    pins: Mapping[str, Override],
    left_out: Mapping[str, str],
) -> list[Notice]:
    notices = []
    for override in in_force:
        household_id = override.household_id
        if override.action in ("hold", "forbid") and household_id in fixed:
            status = fixed[household_id].status
            told = {"id": household_id, "status": status, "action": override.action}
            notices.append(Notice.of("overrides.csv", "override_not_used", NOT_USED, **told))
    for household_id in sorted(fixed):
        if households[household_id].consent != "yes":
            told = {"id": household_id, "status": fixed[household_id].status}
            notices.append(Notice.of("households.csv", "kept_without_consent", WITHOUT_CONSENT, **told))
    for household_id in sorted(pins):
        if left_out.get(household_id) == "quarantined":
            notices.append(Notice.of("overrides.csv", "override_not_used", PIN_NOT_USED, id=household_id))
    return notices


def _joined(ids: list[str], pairs: Iterable[Tie]) -> tuple[tuple[str, ...], ...]:
    """Parties: the components under binding `same_accommodation` ties among `ids`."""
    among = set(ids)
    joined = [(tie.household_id, tie.other_household_id) for tie in pairs if tie.kind == "same_accommodation"]
    return components(ids, [(g, h) for g, h in joined if h is not None and g in among and h in among])


def _fixed_parties(fixed: Mapping[str, Standing], pairs: Iterable[Tie]) -> tuple[tuple[str, ...], ...]:
    joined = [(tie.household_id, tie.other_household_id) for tie in pairs if tie.kind == "same_accommodation"]
    both = [(g, h) for g, h in joined if h is not None and g in fixed and h in fixed]
    return components(sorted(fixed), [(g, h) for g, h in both if fixed[g].accommodation_id == fixed[h].accommodation_id])


def _bereft(parties: tuple[tuple[str, ...], ...], pairs: Iterable[Tie], left_out: Mapping[str, str]) -> frozenset[str]:
    alone = set()
    for tie in pairs:
        g, h = tie.household_id, tie.other_household_id
        assert h is not None  # a pair
        if h in left_out:
            alone.add(g)
        if g in left_out:
            alone.add(h)
    return frozenset(h for party in parties if not alone.isdisjoint(party) for h in party) if alone else frozenset()


def _protected(instance: Instance, households: ById[Household], pairs: Iterable[Tie]) -> frozenset[str]:
    """Protection passes along everything that binds."""
    flagged = {households.ids[i] for i in where(instance.households, "protected", bool).tolist()}
    bound = [(tie.household_id, tie.other_household_id) for tie in pairs if tie.other_household_id is not None]
    groups = components(sorted(flagged.union(*bound)), bound)
    return frozenset(h for group in groups if not flagged.isdisjoint(group) for h in group)


def components(ids: list[str], pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Connected components of `ids` (sorted) under `pairs`, each sorted, all sorted by their first id."""
    root: dict[str, str] = {}

    def find(i: str) -> str:
        while (above := root.setdefault(i, i)) != i:
            root[i] = root.setdefault(above, above)
            i = above
        return i

    for g, h in pairs:
        a, b = find(g), find(h)
        if a != b:
            root[max(a, b)] = min(a, b)
    groups: dict[str, list[str]] = defaultdict(list)
    for i in sorted(root):
        groups[find(i)].append(i)
    return tuple(tuple(groups[i]) if i in groups else (i,) for i in ids if i in groups or i not in root)

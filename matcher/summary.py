"""summary.json: the run in numbers. Nothing in it differs between two runs of the same input, policy, options and version.

Beds by kind and by oblast leave protected households out, so that nobody can work out where they are by subtraction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from matcher._version import __version__
from matcher.columns import Ints, codes
from matcher.doors import takes
from matcher.layers import Bools
from matcher.lookup import ById
from matcher.model import Accommodation, Household, Instance, SetAside, Spot
from matcher.placed import Placements
from matcher.places.models import travel_for
from matcher.policy import Policy, SolveOptions
from matcher.result import LEFT_OUT_REASONS, TERMS, PlacementRow, Result, UnplacedRow, of_instance
from matcher.rows import open_homes, ties_count


@takes(result=Result)
def summary(result: Result) -> dict[str, Any]:
    """The content of summary.json as plain data. Raises UsageError for a result of a bare problem."""
    instance, policy, options = of_instance(result)
    return {
        "status": result.status,
        "proved_by": result.proved_by,
        "strategy": {"name": result.strategy, "why": result.why},
        "unit": "0.1 person-km",
        "cost": result.cost.total,
        "cost_terms": {term: result.cost[term] for term in TERMS},
        "bound": result.bound,
        "gap": round(result.gap, 9),
        "gap_placed": round(result.gap_placed, 9),
        "gap_km_per_person": round(result.gap_km_per_person, 3),
        "stages": _stages(result),
        **counts(instance, policy, result.placements, result.unplaced),
        "rows": [count.model_dump() for count in instance.counts],
        **_remedies(result),
        "warnings": list(result.warnings),
        **travel_data(instance, policy),
        "policy": policy.plain(),
        "options": plain_options(options, instance),
        "seed": options.seed,
        "version": __version__,
        "input_sha256": instance.sha256,
    }


def counts(instance: Instance, policy: Policy, placements: Sequence[PlacementRow], unplaced: Sequence[UnplacedRow]) -> dict[str, Any]:
    """The part of the summary that follows from the rows alone."""
    held = Placements.of(placements)
    households, offers = ById(instance.households, "household_id"), ById(instance.accommodations, "accommodation_id")
    kept, every, by_kind = ties_count(instance, policy, held)
    became = _became(households, held, unplaced)
    return {
        **_split(became, np.ones(len(households), dtype=np.bool_), _own_rows(instance)),
        "by_priority": _by_priority(instance, became),
        "by_group": _by_group(instance, became),
        "ties": {"kept": kept, "all": every, "by_kind": by_kind},
        "km": _km(held),
        "beds": _beds(instance, offers, held),
        "estimated_distances": _estimated(instance, policy, open_homes(held, households, offers)),
        "unknown_risk": _unknown_risk(instance, policy),
    }


def travel_data(instance: Instance, policy: Policy) -> dict[str, Any]:
    """By what distances were measured, where it was more than a formula: who verifies the run must have the same."""
    if policy.travel.model == "road":
        from matcher.places.roads import roads

        return {"travel": {"model": "road", "data_sha256": roads().sha256}}
    if policy.travel.model == "osrm" and instance.measured is not None:
        return {"travel": {"model": "osrm", "server": instance.measured.server, "data_sha256": instance.measured.sha256}}
    return {}


def _remedies(result: Result) -> dict[str, dict[str, int]]:
    """How many households without a place something would help; nothing where nobody looked."""
    seen = result.remedies
    if seen is None:
        return {}
    return {"remedies": {"found": len(seen.found), "none": len(seen.none), "not_examined": len(seen.not_examined)}}


def plain_options(options: SolveOptions, instance: Instance) -> dict[str, Any]:
    """The options that can change the result."""
    return {
        "date": None if options.date is None else options.date.isoformat(),
        "seed": options.seed,
        "strategy": options.strategy,
        "time_limit_s": options.time_limit_s,
        "effort": options.effort,
        "gap": options.gap,
        **({"warm_start": True} if options.warm_start is not None else {}),
        **({"lang": options.lang} if options.lang != "en" else {}),
        "quarantine": instance.quarantine,
    }


def _stages(result: Result) -> list[dict[str, Any]]:
    if len(result.stages) == 1:
        return []
    return [{"name": s.name, "value": s.value, "bound": s.bound, "proved_by": s.proved_by} for s in result.stages]


NAMES = ("placed", "unplaced", "left_out", "quarantined")


@dataclass(frozen=True)
class Became:
    """What became of the households, by row: position in NAMES, -1 where no row tells; and the persons that the row says."""

    what: Ints
    persons: Ints


def _became(households: ById[Household], placements: Placements, unplaced: Sequence[UnplacedRow]) -> Became:
    what, persons = np.full(len(households), -1, dtype=np.int64), np.zeros(len(households), dtype=np.int64)
    row = households.positions(placements.household_ids)
    what[row], persons[row] = NAMES.index("placed"), placements.persons
    known = [
        (i, out) for i, out in zip(households.positions(out.household_id for out in unplaced).tolist(), unplaced, strict=True) if i >= 0
    ]
    row = np.array([i for i, _ in known], dtype=np.int64)
    left_out, waiting = NAMES.index("left_out"), NAMES.index("unplaced")
    what[row] = [left_out if out.reason in LEFT_OUT_REASONS else waiting for _, out in known]
    persons[row] = [out.persons or 0 for _, out in known]
    return Became(what, persons)


def _split(became: Became, among: Bools, aside: Iterable[SetAside]) -> dict[str, dict[str, int]]:
    """Persons and households by what became of them; the quarantined from their own rows, as far as those could be read."""
    out: dict[str, dict[str, int]] = {"persons": {}, "households": {}}
    for i, name in enumerate(NAMES):
        there = among & (became.what == i)
        out["persons"][name] = int(became.persons[there].sum())
        out["households"][name] = int(there.sum())
    for own in aside:
        out["persons"]["quarantined"] += own.persons or 0
        out["households"]["quarantined"] += 1
    return out


def _by_priority(instance: Instance, became: Became) -> dict[str, dict[str, dict[str, int]]]:
    """Keys 1 to 5, and `unknown` where the priority of a quarantined row could not be read."""
    code, found = codes(instance.households, "priority")
    rows = {str(p): code == k for k, p in enumerate(found)}
    aside: dict[str, list[SetAside]] = {str(p): [] for p in range(1, 6)}
    for own in _own_rows(instance):
        aside.setdefault(str(own.priority or "unknown"), []).append(own)
    nobody = np.zeros(len(code), dtype=np.bool_)
    return {p: _split(became, rows.get(p, nobody), aside[p]) for p in sorted(aside)}


def _by_group(instance: Instance, became: Became) -> dict[str, dict[str, dict[str, int]]]:
    code, found = codes(instance.households, "groups")
    told = became.what >= 0
    inside: dict[str, Bools] = {
        group: told & np.array([group in groups for groups in found], dtype=np.bool_)[code] for group in sorted(set().union(*found))
    }
    rows = {group: among for group, among in inside.items() if among.any()}
    aside: dict[str, list[SetAside]] = defaultdict(list)
    for own in _own_rows(instance):
        for group in own.groups:
            aside[group].append(own)
    nobody = np.zeros(len(code), dtype=np.bool_)
    return {group: _split(became, rows.get(group, nobody), aside[group]) for group in sorted(set(rows) | set(aside))}


def _own_rows(instance: Instance) -> list[SetAside]:
    """Rows of households that are set aside; an id that stands twice counts once, as far as the first of its rows tells."""
    found: dict[object, SetAside] = {}
    for position, row in enumerate(instance.set_aside):
        if row.is_of("households"):
            found.setdefault(row.id or position, row)
    return list(found.values())


def _km(placements: Placements) -> dict[str, float]:
    """Travel of the persons placed, in km, protected ones apart: their journey must not be worked out by subtraction.
    Each person counts in median and p95 (nearest rank)."""
    told = ~placements.protected
    km10, persons = placements.km10[told], placements.persons[told]
    order = np.argsort(km10, kind="stable")
    seen = np.cumsum(persons[order])
    people = int(seen[-1]) if len(seen) else 0

    def rank(share: Decimal) -> float:
        wanted = int(-((-share * people) // 1))
        at = int(np.searchsorted(seen, wanted))
        return int(km10[order[at]]) / 10 if at < len(seen) else 0.0

    total = sum((km10 * persons).tolist())
    return {"total": total / 10, "median": rank(Decimal("0.5")), "p95": rank(Decimal("0.95"))}


def _open(instance: Instance) -> Bools:
    """Accommodations that are open in this run, by row."""
    code, states = codes(instance.accommodations, "status")
    out: Bools = np.array([state == "open" for state in states], dtype=np.bool_)[code] if states else np.zeros(0, dtype=np.bool_)
    if instance.closed:
        out &= ~np.isin(codes(instance.accommodations, "accommodation_id")[1], sorted(instance.closed))
    return out


def _beds(instance: Instance, offers: ById[Accommodation], placements: Placements) -> dict[str, Any]:
    """Beds of open offers: offered, taken, left; taken in a flat let to one household: all its beds."""
    at, secret = offers.positions(placements.offers)[placements.offer], placements.protected
    persons = np.zeros(len(offers), dtype=np.int64)
    np.add.at(persons, at[~secret], placements.persons[~secret])
    is_open, capacity = _open(instance), _numbers(instance.accommodations, "capacity")
    shared = _numbers(instance.accommodations, "shared").astype(np.bool_)
    here = np.where(is_open, persons, 0)
    beds = np.where(is_open, capacity, 0)
    left = int(np.where(shared | (here == 0), np.maximum(0, beds - here), 0).sum())
    # Protected persons are taken off in all, not where they are: a flat counted as full would tell which one it is.
    left = max(0, left - int(placements.persons[secret].sum()))
    tables = [_table(*codes(instance.accommodations, field), is_open, beds, here) for field in ("kind", "adm1")]
    return {
        "offered": int(beds.sum()),
        "persons_in": int(placements.persons.sum()),
        "left": left,
        "by_kind": tables[0],
        "by_oblast": tables[1],
        "protected_in_tables": False,
    }


def _numbers(rows: Sequence[Any], field: str) -> Ints:
    code, values = codes(rows, field)
    return np.array(values, dtype=np.int64)[code]


def _table(code: Ints, values: Sequence[str | None], is_open: Bools, beds: Ints, persons: Ints) -> dict[str, dict[str, int]]:
    """Beds offered and taken by key, of the offers that are open."""
    out: dict[str, dict[str, int]] = {}
    for k, value in enumerate(values):
        there = is_open & (code == k)
        if there.any():
            row = out.setdefault(value or "unknown", {"offered": 0, "persons_in": 0})
            row["offered"] += int(beds[there].sum())
            row["persons_in"] += int(persons[there].sum())
    return {key: out[key] for key in sorted(out)}


def _unknown_risk(instance: Instance, policy: Policy) -> int:
    code, seen = codes(instance.accommodations, "risk", "adm1")
    unknown = np.array([own is None and (adm1 or "") not in policy.risk.area for own, adm1 in seen], dtype=np.bool_)
    return int((_open(instance) & unknown[code]).sum()) if seen else 0


def _estimated(instance: Instance, policy: Policy, home: Ints) -> dict[str, int]:
    """Pairs of places between households and open offers whose distance is estimated, and placements that rest on one.

    home: row of the accommodation of each household that is not protected, -1 for none.
    """
    travel = travel_for(instance, policy)
    start, starts = codes(instance.households, "spot")
    end, ends = codes(instance.accommodations, "spot")
    from_ = _distinct(starts)
    to = _distinct([ends[k] for k in np.unique(end[_open(instance)]).tolist()])
    placed = np.flatnonzero(home >= 0)
    known = travel.known_km(starts, ends, start[placed], end[home[placed]])
    return {
        "pairs_of_places": len(from_) * len(to) - travel.count_known(from_, to),
        "placements": int((~known).sum()),
    }


def _distinct(spots: Iterable[Spot]) -> list[Spot]:
    """One spot of each that distances tell apart."""
    return list({(spot.lat, spot.lon, spot.key): spot for spot in spots}.values())

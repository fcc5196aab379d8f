"""summary.json: the run in numbers. Nothing in it differs between two runs of the same input, policy, options and version.

Beds by kind and by oblast leave protected households out, so that nobody can work out where they are by subtraction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from matcher._version import __version__
from matcher.model import Accommodation, Instance, SetAside
from matcher.places.travel import Travel, travel_model
from matcher.policy import Policy, SolveOptions
from matcher.result import LEFT_OUT_REASONS, TERMS, PlacementRow, Result, UnplacedRow
from tests.afterwards.plain.rows import ties_count


def summary(result: Result) -> dict[str, Any]:
    """The content of summary.json as plain data."""
    instance, policy, options = result.instance, result.policy, result.options
    assert instance is not None and policy is not None and options is not None
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
        "warnings": list(result.warnings),
        "policy": policy.plain(),
        "options": plain_options(options, instance),
        "seed": options.seed,
        "version": __version__,
        "input_sha256": instance.sha256,
    }


def counts(instance: Instance, policy: Policy, placements: Sequence[PlacementRow], unplaced: Sequence[UnplacedRow]) -> dict[str, Any]:
    """The part of the summary that follows from the rows alone."""
    rows: list[PlacementRow | UnplacedRow] = [*placements, *unplaced]
    kept, every, by_kind = ties_count(instance, policy, placements)
    accepted = {h.household_id for h in instance.households}
    in_all = _split((row for row in rows if row.household_id in accepted), _own_rows(instance))
    return {
        **in_all,
        "by_priority": _by_priority(instance, rows),
        "by_group": _by_group(instance, rows),
        "ties": {"kept": kept, "all": every, "by_kind": by_kind},
        "km": _km(placements),
        "beds": _beds(instance, placements),
        "estimated_distances": _estimated(instance, policy, placements),
        "unknown_risk": sum(1 for a in _open(instance) if a.risk is None and (a.adm1 or "") not in policy.risk.area),
    }


def plain_options(options: SolveOptions, instance: Instance) -> dict[str, Any]:
    """The options that can change the result."""
    return {
        "date": None if options.date is None else options.date.isoformat(),
        "seed": options.seed,
        "strategy": options.strategy,
        "time_limit_s": options.time_limit_s,
        "effort": options.effort,
        "gap": options.gap,
        "quarantine": instance.quarantine,
    }


def _stages(result: Result) -> list[dict[str, Any]]:
    if len(result.stages) == 1:
        return []
    return [{"name": s.name, "value": s.value, "bound": s.bound, "proved_by": s.proved_by} for s in result.stages]


def _split(rows: Iterable[PlacementRow | UnplacedRow], aside: Iterable[SetAside]) -> dict[str, dict[str, int]]:
    """Persons and households by what became of them; the quarantined from their own rows, as far as those could be read."""
    names = ("placed", "unplaced", "left_out", "quarantined")
    out = {"persons": dict.fromkeys(names, 0), "households": dict.fromkeys(names, 0)}
    for row in rows:
        what = "placed" if isinstance(row, PlacementRow) else "left_out" if row.reason in LEFT_OUT_REASONS else "unplaced"
        out["persons"][what] += row.persons or 0
        out["households"][what] += 1
    for own in aside:
        out["persons"]["quarantined"] += own.persons or 0
        out["households"]["quarantined"] += 1
    return out


Rows = Sequence[PlacementRow | UnplacedRow]


def _by_priority(instance: Instance, every: Rows) -> dict[str, dict[str, dict[str, int]]]:
    """Keys 1 to 5, and `unknown` where the priority of a quarantined row could not be read."""
    priority = {h.household_id: h.priority for h in instance.households}
    rows: dict[str, list[PlacementRow | UnplacedRow]] = {str(p): [] for p in range(1, 6)}
    for row in every:
        if row.household_id in priority:
            rows[str(priority[row.household_id])].append(row)
    aside: dict[str, list[SetAside]] = defaultdict(list)
    for own in _own_rows(instance):
        aside[str(own.priority or "unknown")].append(own)
    return {p: _split(rows.get(p, ()), aside[p]) for p in sorted(set(rows) | set(aside))}


def _by_group(instance: Instance, every: Rows) -> dict[str, dict[str, dict[str, int]]]:
    groups = {h.household_id: h.groups for h in instance.households}
    rows: dict[str, list[PlacementRow | UnplacedRow]] = defaultdict(list)
    for row in every:
        for group in groups.get(row.household_id, ()):
            rows[group].append(row)
    aside: dict[str, list[SetAside]] = defaultdict(list)
    for own in _own_rows(instance):
        for group in own.groups:
            aside[group].append(own)
    return {group: _split(rows[group], aside[group]) for group in sorted(set(rows) | set(aside))}


def _own_rows(instance: Instance) -> list[SetAside]:
    """Rows of households that are set aside; an id that stands twice counts once, as far as the first of its rows tells."""
    found: dict[object, SetAside] = {}
    for position, row in enumerate(instance.set_aside):
        if row.file.removesuffix(".csv") == "households":
            found.setdefault(row.id or position, row)
    return list(found.values())


def _km(placements: Sequence[PlacementRow]) -> dict[str, float]:
    """Travel of the persons placed, in km, protected ones apart: their journey must not be worked out by subtraction.
    Each person counts in median and p95 (nearest rank)."""
    each = sorted((row.km10, row.persons) for row in placements if not row.protected)
    people = sum(persons for _, persons in each)
    total = sum(km10 * persons for km10, persons in each)

    def rank(share: Decimal) -> float:
        wanted, seen = -((-share * people) // 1), 0
        for km10, persons in each:
            seen += persons
            if seen >= wanted:
                return km10 / 10
        return 0.0

    return {"total": total / 10, "median": rank(Decimal("0.5")), "p95": rank(Decimal("0.95"))}


def _open(instance: Instance) -> list[Accommodation]:
    return [a for a in instance.accommodations if a.status == "open" and a.accommodation_id not in instance.closed]


def _beds(instance: Instance, placements: Sequence[PlacementRow]) -> dict[str, Any]:
    """Beds of open offers: offered, taken, left; taken in a flat let to one household: all its beds."""
    persons: dict[str, int] = defaultdict(int)
    hidden: dict[str, int] = defaultdict(int)
    for row in placements:
        (hidden if row.protected else persons)[row.accommodation_id] += row.persons
    by_kind: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    by_oblast: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    left = 0
    for a in _open(instance):
        for table, key in ((by_kind, a.kind), (by_oblast, a.adm1 or "unknown")):
            table[key][0] += a.capacity
            table[key][1] += persons[a.accommodation_id]
        here = persons[a.accommodation_id]
        left += max(0, a.capacity - here) if a.shared or not here else 0
    # Protected persons are taken off in all, not where they are: a flat counted as full would tell which one it is.
    left = max(0, left - sum(hidden.values()))
    return {
        "offered": sum(a.capacity for a in _open(instance)),
        "persons_in": sum(row.persons for row in placements),
        "left": left,
        "by_kind": _table(by_kind),
        "by_oblast": _table(by_oblast),
        "protected_in_tables": False,
    }


def _table(counts: Mapping[str, list[int]]) -> dict[str, dict[str, int]]:
    return {key: {"offered": counts[key][0], "persons_in": counts[key][1]} for key in sorted(counts)}


def _estimated(instance: Instance, policy: Policy, placements: Sequence[PlacementRow]) -> dict[str, int]:
    """Pairs of places between households and open offers whose distance is estimated, and placements that rest on one."""
    travel = Travel(instance.travel, travel_model(policy.travel.model))
    starts = {(h.spot.lat, h.spot.lon, h.spot.key): h.spot for h in instance.households}
    ends = {(a.spot.lat, a.spot.lon, a.spot.key): a.spot for a in _open(instance)}
    spot_of = {h.household_id: h.spot for h in instance.households}
    offer_of = {a.accommodation_id: a.spot for a in instance.accommodations}
    return {
        "pairs_of_places": sum(1 for s in starts.values() for e in ends.values() if travel.leg(s, e).estimated),
        "placements": sum(
            1 for r in placements if not r.protected and travel.leg(spot_of[r.household_id], offer_of[r.accommodation_id]).estimated
        ),
    }

"""summary.json: the run in numbers. Nothing in it differs between two runs of the same input, policy, options and version.

Beds by kind and by oblast leave protected households out, so that nobody can work out where they are by subtraction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from matcher._version import __version__
from matcher.model import Accommodation, Instance
from matcher.places.travel import Travel, travel_model
from matcher.policy import Policy, SolveOptions
from matcher.result import LEFT_OUT_REASONS, TERMS, PlacementRow, Result, UnplacedRow
from matcher.rows import ties_count


def summary(result: Result) -> dict[str, Any]:
    """The content of summary.json as plain data."""
    instance, policy, options = result.instance, result.policy, result.options
    assert instance is not None and policy is not None and options is not None
    kept, every, by_kind = ties_count(instance, policy, result.placements)
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
        "persons": _counts(instance, result, lambda row: row.persons or 0),
        "households": _counts(instance, result, lambda _: 1),
        "by_priority": _by_priority(instance, result),
        "by_group": _by_group(instance, result),
        "ties": {"kept": kept, "all": every, "by_kind": by_kind},
        "km": _km(result.placements),
        "beds": _beds(instance, result),
        "estimated_distances": _estimated(instance, policy, result.placements),
        "unknown_risk": sum(1 for a in _open(instance) if a.risk is None and (a.adm1 or "") not in policy.risk.area),
        "rows": [count.model_dump() for count in instance.counts],
        "warnings": list(result.warnings),
        "policy": policy.plain(),
        "options": plain_options(options, instance),
        "seed": options.seed,
        "version": __version__,
        "input_sha256": instance.sha256,
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
        "quarantine": bool(instance.set_aside),
    }


def _stages(result: Result) -> list[dict[str, Any]]:
    if len(result.stages) == 1:
        return []
    return [{"name": s.name, "value": s.value, "bound": s.bound, "proved_by": s.proved_by} for s in result.stages]


def _counts(instance: Instance, result: Result, size: Any) -> dict[str, int]:
    """Persons or households: placed, unplaced, left out, quarantined; the four have nobody in common."""
    own_row = {row.household_id for row in result.unplaced} - {h.household_id for h in instance.households}
    # Rows set aside whose id could not be read stand in no table, but they are somebody.
    nameless = [row for row in instance.set_aside if _is_household(row.file) and (not row.id or row.id not in own_row)]
    aside = [row for row in result.unplaced if row.household_id in own_row]
    out = [row for row in result.unplaced if row.household_id not in own_row]
    return {
        "placed": sum(size(row) for row in result.placements),
        "unplaced": sum(size(row) for row in out if row.reason not in LEFT_OUT_REASONS),
        "left_out": sum(size(row) for row in out if row.reason in LEFT_OUT_REASONS),
        "quarantined": sum(size(row) for row in aside) + sum(size(row) for row in nameless),
    }


def _is_household(file: str) -> bool:
    return file.removesuffix(".csv") == "households"


def _split(rows: Iterable[PlacementRow | UnplacedRow]) -> dict[str, dict[str, int]]:
    """Persons and households by what became of them."""
    out = {"persons": {"placed": 0, "unplaced": 0, "left_out": 0}, "households": {"placed": 0, "unplaced": 0, "left_out": 0}}
    for row in rows:
        what = "placed" if isinstance(row, PlacementRow) else "left_out" if row.reason in LEFT_OUT_REASONS else "unplaced"
        out["persons"][what] += row.persons or 0
        out["households"][what] += 1
    return out


def _all_rows(result: Result) -> list[PlacementRow | UnplacedRow]:
    return [*result.placements, *result.unplaced]


def _by_priority(instance: Instance, result: Result) -> dict[str, dict[str, dict[str, int]]]:
    priority = {h.household_id: h.priority for h in instance.households}
    rows: dict[int, list[PlacementRow | UnplacedRow]] = {p: [] for p in range(1, 6)}
    for row in _all_rows(result):
        if row.household_id in priority:
            rows[priority[row.household_id]].append(row)
    return {str(p): _split(group) for p, group in rows.items()}


def _by_group(instance: Instance, result: Result) -> dict[str, dict[str, dict[str, int]]]:
    groups = {h.household_id: h.groups for h in instance.households}
    rows: dict[str, list[PlacementRow | UnplacedRow]] = defaultdict(list)
    for row in _all_rows(result):
        for group in groups.get(row.household_id, ()):
            rows[group].append(row)
    return {group: _split(rows[group]) for group in sorted(rows)}


def _km(placements: Sequence[PlacementRow]) -> dict[str, float]:
    """Travel of the persons placed, in km; each person counts in median and p95 (nearest rank)."""
    each = sorted((row.km10, row.persons) for row in placements)
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


def _beds(instance: Instance, result: Result) -> dict[str, Any]:
    """Beds of open offers: offered, taken, left; taken in a flat let to one household: all its beds."""
    persons: dict[str, int] = defaultdict(int)
    hidden: dict[str, int] = defaultdict(int)
    for row in result.placements:
        (hidden if row.protected else persons)[row.accommodation_id] += row.persons
    by_kind: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    by_oblast: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    left = 0
    for a in _open(instance):
        for table, key in ((by_kind, a.kind), (by_oblast, a.adm1 or "unknown")):
            table[key][0] += a.capacity
            table[key][1] += persons[a.accommodation_id]
        here = persons[a.accommodation_id] + hidden[a.accommodation_id]
        left += max(0, a.capacity - here) if a.shared or not here else 0
    return {
        "offered": sum(a.capacity for a in _open(instance)),
        "persons_in": sum(row.persons for row in result.placements),
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
        "placements": sum(1 for r in placements if travel.leg(spot_of[r.household_id], offer_of[r.accommodation_id]).estimated),
    }

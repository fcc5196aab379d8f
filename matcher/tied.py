"""Which ties a plan keeps, and how far from them everybody is: over all ties at once."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from matcher.columns import Ints, codes, combined
from matcher.layers import Bools
from matcher.lookup import ById
from matcher.model import Accommodation, Household, Instance, Spot
from matcher.places.travel import Travel, same_place

NEAR_KM = 30
"""A soft `near` tie counts as kept within this many km: a visit there and back within a day."""
CELLS = 1 << 20


@dataclass(frozen=True)
class TieStates:
    """By tie. known: its household has a place, and so has the other one, if it leads to one. owner, other: rows of households, -1
    for none. km10: from end to end in tenths. kept. counts: it pulls (not `apart`)."""

    owner: Ints
    other: Ints
    known: Bools
    km10: Ints
    kept: Bools
    pulls: Bools


def km10_of(travel: Travel, origins: list[Spot], destinations: list[Spot], first: Ints, second: Ints) -> Ints:
    """Tenths of a km from origins[first[i]] to destinations[second[i]], for each i."""
    out = np.zeros(len(first), dtype=np.int64)
    order = np.argsort(first, kind="stable")
    step = max(1, CELLS // max(1, len(destinations)))
    edges = np.searchsorted(first[order], np.arange(0, len(origins) + step, step))
    for block, low in enumerate(range(0, len(origins), step)):
        here = order[edges[block] : edges[block + 1]]
        if len(here):
            matrix = travel.km10_matrix(origins[low : low + step], destinations)
            out[here] = matrix[first[here] - low, second[here]]
    return out


def tie_states(instance: Instance, households: ById[Household], offers: ById[Accommodation], travel: Travel, home: Ints) -> TieStates:
    """The state of every tie. home: row of the accommodation of each row of households, -1 where it has none."""
    rows, count = instance.ties, len(instance.ties)
    at = np.append(home, -1)  # the last one stands for nobody
    place, spots = codes(instance.accommodations, "spot")
    owner, to_other, to_offer = (_found(rows, field, by_id) for field, by_id in _ends(households, offers))
    spot_code, tie_spots = codes(rows, "spot")
    no_spot = np.array([spot is None for spot in tie_spots], dtype=np.bool_)[spot_code] if count else np.zeros(0, dtype=np.bool_)
    here, there = at[owner], at[to_other]
    leads = to_other >= 0
    known = (here >= 0) & (~leads | (there >= 0))
    ends = [*(spots[0] if spot is None else spot for spot in tie_spots), *spots] if count and spots else []
    base = len(tie_spots)
    target = np.where(leads, there, to_offer)
    start = np.where(no_spot, base + place[np.where(leads, here, target)], spot_code) if len(place) else spot_code
    end = np.where(leads, place[target], place[here]) if len(place) else spot_code
    now = np.flatnonzero(known)
    km10 = np.zeros(count, dtype=np.int64)
    km10[now] = km10_of(travel, ends, list(spots), start[now], end[now])
    kinds = _values(rows, "kind")
    kept = _near_enough(instance, km10)
    one_place = np.zeros(count, dtype=np.bool_)
    asked = now[np.isin(kinds[now], ["same_place", "apart"])]
    one_place[asked] = _same_places(ends, list(spots), start[asked], end[asked])
    site = _sites(instance)
    offers_meet = ~no_spot & False
    sites_meet = offers_meet.copy()
    pair = np.flatnonzero(known & no_spot)
    offers_meet[pair] = here[pair] == target[pair]
    sites_meet[pair] = site[here[pair]] == site[target[pair]]
    kept = np.where(kinds == "same_site", np.where(no_spot, sites_meet, one_place), kept)
    kept = np.where(kinds == "same_accommodation", np.where(no_spot, offers_meet, one_place), kept)
    kept = np.where(kinds == "same_place", one_place, kept)
    far = _far_enough(instance, km10, no_spot)
    kept = np.where(kinds == "apart", np.where(no_spot, ~sites_meet, ~one_place) & far, kept)
    return TieStates(owner, to_other, known, km10, kept & known, kinds != "apart")


def _ends(households: ById[Household], offers: ById[Accommodation]) -> tuple[tuple[str, ById[object]], ...]:
    everybody: ById[object] = households  # type: ignore[assignment]
    everywhere: ById[object] = offers  # type: ignore[assignment]
    return ("household_id", everybody), ("other_household_id", everybody), ("accommodation_id", everywhere)


def _found(rows: object, field: str, by_id: ById[object]) -> Ints:
    code, ids = codes(rows, field)  # type: ignore[arg-type]
    position = by_id.positions("" if one is None else one for one in ids)
    return position[code] if len(position) else code


def _values(rows: object, field: str) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    code, values = codes(rows, field)  # type: ignore[arg-type]
    return np.array(values, dtype=np.str_)[code] if len(values) else np.zeros(0, dtype=np.str_)


def _near_enough(instance: Instance, km10: Ints) -> Bools:
    """Of a `near` tie: within max_km where it binds, else within NEAR_KM."""
    code, looks = _looks(instance)
    limits = [10 * (max_km if binds and max_km is not None else Decimal(NEAR_KM)) for binds, max_km in looks]
    return km10 <= np.array([_whole(limit) for limit in limits], dtype=np.int64)[code] if looks else np.zeros(0, dtype=np.bool_)


def _looks(instance: Instance) -> tuple[Ints, list[tuple[bool, Decimal | None]]]:
    """(code of each tie, (whether it binds, max_km) of each code)."""
    leads, others = codes(instance.ties, "other_household_id")
    alone = np.array([other is None for other in others], dtype=np.int64)[leads] if others else leads
    code, seen = codes(instance.ties, "required", "agreed", "kind", "max_km")
    number, first = combined([code, alone], [len(seen), 2])
    looks = []
    for i in first.tolist():
        required, agreed, kind, max_km = seen[code[i]]
        looks.append((required and (bool(alone[i]) or kind == "apart" or agreed), max_km))
    return number, looks


def _far_enough(instance: Instance, km10: Ints, from_offer: Bools) -> Bools:
    """Of an `apart` tie: not within max_km of a place; not nearer than max_km to an offer."""
    code, limits = codes(instance.ties, "max_km")
    if not limits:
        return np.zeros(0, dtype=np.bool_)
    most = np.array([-1 if limit is None else _whole(10 * limit) for limit in limits], dtype=np.int64)[code]
    least = np.array([-1 if limit is None else -_whole(-10 * limit) for limit in limits], dtype=np.int64)[code]
    return np.where(from_offer, km10 >= least, km10 > most)


def _whole(limit: Decimal) -> int:
    """Rounded down, and not beyond what distances can be."""
    numerator, denominator = limit.as_integer_ratio()
    return min(numerator // denominator, 1 << 61)


def _same_places(origins: list[Spot], destinations: list[Spot], first: Ints, second: Ints) -> Bools:
    number, example = combined([first, second], [len(origins), len(destinations)]) if len(first) else (first, first)
    answers = [same_place(origins[first[i]], destinations[second[i]]) for i in example.tolist()]
    return np.array(answers, dtype=np.bool_)[number]


def _sites(instance: Instance) -> Ints:
    """Accommodations with one number share a site; an empty site id equals no other."""
    code, sites = codes(instance.accommodations, "site_id")
    alone = np.array([site is None for site in sites], dtype=np.bool_)[code] if sites else np.zeros(0, dtype=np.bool_)
    return np.where(alone, len(sites) + np.arange(len(code)), code)

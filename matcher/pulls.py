"""Everything that depends on an offer's place alone, for all places at once: distances, whether a tie is held there, what it
costs. The rules and terms themselves stand in `rules`, `costs` and `bonds`, for one pair; here are the same numbers by rows."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from fractions import Fraction
from math import ceil, floor, gcd, lcm

import numpy as np

from matcher.bonds import Bond
from matcher.costs import UNITS_PER_KM, exact
from matcher.layers import Bools, Ints
from matcher.model import Spot
from matcher.places.travel import Travel, same_places
from matcher.policy import Policy

SAFE = 1 << 61
Parts = tuple[tuple[int, Fraction], ...]  # (number of what is looked at, coefficient)
TieKey = tuple[Parts, Fraction | None]


def spot_key(spot: Spot) -> tuple[float, float, str | None]:
    """All that distances depend on."""
    return spot.lat, spot.lon, spot.key


def scaled(units: Ints, factor: Fraction, most: int) -> Ints:
    """units · factor, half up, each exactly: in 64 bits where every step fits in them, else in Python's own integers.

    units: 0 to `most`. The result is an array of objects where it does not fit either.
    """
    n, d = factor.as_integer_ratio()
    if 2 * n * max(1, most) + d >= SAFE:
        units = units.astype(object)
    return units * n if d == 1 else (units * (2 * n) + d) // (2 * d)


class Ways:
    """Distances between spots and the places of the offers. Arrays have the length P, the number of places."""

    def __init__(self, travel: Travel, places: Sequence[Spot]) -> None:
        self.travel, self.places = travel, places
        self._km10: dict[tuple[object, ...], Ints] = {}
        self._same: dict[tuple[object, ...], Bools] = {}

    def learn(self, spots: Iterable[Spot], *, outward: bool = False) -> None:
        """Find the distances of many spots in one go."""
        new = {(*spot_key(spot), outward): spot for spot in spots if (*spot_key(spot), outward) not in self._km10}
        unknown = list(new.values())
        found = self.travel.km10_matrix(self.places, unknown).T if outward else self.travel.km10_matrix(unknown, self.places)
        small = int(found.max(initial=0)) <= np.iinfo(np.int32).max
        self._km10.update(zip(new, np.ascontiguousarray(found, dtype=np.int32 if small else np.int64), strict=True))

    def km10(self, spot: Spot, *, outward: bool = False) -> Ints:
        """Tenths of a km from the spot to every place (outward: from every place to the spot)."""
        key = (*spot_key(spot), outward)
        if key not in self._km10:
            self.learn([spot], outward=outward)
        return self._km10[key].astype(np.int64)

    def learn_same_place(self, spots: Iterable[Spot]) -> None:
        """Find out for many spots in one go where they are at home."""
        new = {spot_key(spot): spot for spot in spots if spot_key(spot) not in self._same}
        self._same.update(zip(new, same_places(list(new.values()), self.places), strict=True))

    def same_place(self, spot: Spot) -> Bools:
        """Whether each place is the spot's own settlement."""
        key = spot_key(spot)
        if key not in self._same:
            self.learn_same_place([spot])
        return self._same[key]


class Pulls:
    """Rows of the rule `tie` and of the terms `ties` and `linked` for all places. Bonds that are alike are numbered once, so that
    households whose bonds come to the same costs share a row."""

    def __init__(self, ways: Ways, policy: Policy) -> None:
        self.ways = ways
        self.weight = exact(policy.ties.weight)
        self.cap = UNITS_PER_KM * exact(policy.ties.cap_km)
        self._numbers: dict[Hashable, int] = {}
        self._bonds: list[Bond] = []
        self._kept: dict[Hashable, Bools] = {}

    def _look(self, bond: Bond, *, soft: bool) -> Hashable:
        """What of the bond a place can tell: equal for bonds that pull, or are held, alike everywhere."""
        if bond.kind == "near":
            return "near", spot_key(bond.spot), bond.outward, None if soft else bond.max_km
        if names_offers(bond):
            return "never"
        limit = bond.max_km if bond.kind == "apart" else None
        return bond.kind == "apart", spot_key(bond.spot), bond.target is None, limit, bond.outward and limit is not None

    def _number(self, bond: Bond, *, soft: bool) -> int:
        look = self._look(bond, soft=soft)
        if look not in self._numbers:
            self._numbers[look] = len(self._bonds)
            self._bonds.append(bond)
        return self._numbers[look]

    def kept(self, bond: Bond) -> Bools:
        """`bonds.is_kept` of an offer at each place that is neither the target nor on its site."""
        look = self._look(bond, soft=False)
        if look not in self._kept:
            self._kept[look] = self._held(bond)
        return self._kept[look]

    def _held(self, bond: Bond) -> Bools:
        if names_offers(bond):
            return np.zeros(len(self.ways.places), dtype=np.bool_)
        if bond.kind not in ("near", "apart"):
            return self.ways.same_place(bond.spot)
        to_place = bond.target is None
        if bond.max_km is None:
            every = np.full(len(self.ways.places), bond.kind == "apart", dtype=np.bool_)
            return every & ~self.ways.same_place(bond.spot) if to_place else every
        km10, limit = self.ways.km10(bond.spot, outward=bond.outward), 10 * bond.max_km
        if bond.kind == "near":
            return km10 <= min(floor(limit), SAFE)
        if to_place:
            return ~self.ways.same_place(bond.spot) & (km10 > min(floor(limit), SAFE))
        return km10 >= min(ceil(limit), SAFE)

    def all_kept(self, bonds: Sequence[Bond]) -> Bools:
        """Whether each place holds all of these required bonds."""
        out = np.ones(len(self.ways.places), dtype=np.bool_)
        for bond in bonds:
            out &= self.kept(bond)
        return out

    def ties_key(self, persons: int, bonds: Sequence[Bond]) -> TieKey:
        """Equal for households whose term `ties` is the same at every place: coefficients, and the limit where it can matter."""
        parts: dict[int, Fraction] = {}
        for bond in bonds:
            if bond.weight and self.weight:
                number = self._number(bond, soft=True)
                parts[number] = parts.get(number, Fraction(0)) + persons * self.weight * bond.weight
        most = persons * self.weight
        return tuple(sorted(parts.items())), most * self.cap if sum(parts.values()) > most else None

    def ties_row(self, key: TieKey) -> Ints:
        """Term `ties` at every place: half_up(min(Σ coefficient · pull, limit))."""
        parts, limit = key
        common = lcm(*(coefficient.denominator for _, coefficient in parts))
        most = sum(int(coefficient * common) * max(1, self.cap.numerator) for _, coefficient in parts)
        total: Ints = np.zeros(len(self.ways.places), dtype=np.int64 if most < SAFE else object)
        for number, coefficient in parts:
            total += self._pulls(self._bonds[number]).astype(total.dtype) * int(coefficient * common)
        common *= self.cap.denominator
        if limit is None:
            return scaled(total, Fraction(1, common), most)
        shared = limit.denominator // gcd(limit.denominator, common)
        if most * shared >= SAFE:
            total = total.astype(object)
        total = np.minimum(total * shared, int(limit * common * shared))
        return scaled(total, Fraction(1, common * shared), most * shared)

    def _pulls(self, bond: Bond) -> Ints:
        """`costs.pull_km10` at every place, times the denominator of the cap."""
        top = self.cap.numerator
        if bond.kind != "near":
            return np.where(self.kept(bond), 0, np.array(top, dtype=np.int64 if top < SAFE else object))
        return capped(self.ways.km10(bond.spot, outward=bond.outward), self.cap)

    def linked_key(self, bonds: Sequence[Bond]) -> Parts:
        """Equal for households whose term `linked` is the same at every place."""
        return tuple(sorted((self._number(bond, soft=True), bond.weight) for bond in bonds if bond.weight))

    def linked_row(self, key: Parts) -> Ints:
        """Term `linked` at every place for links to fixed households, each rounded alone."""
        total: Ints = np.zeros(len(self.ways.places), dtype=object)
        for number, amount in key:
            total += scaled(self._pulls(self._bonds[number]), amount / self.cap.denominator, self.cap.numerator)
        return total


def capped(km10: Ints, cap: Fraction) -> Ints:
    """min(km10, cap), times the denominator of the cap."""
    top, denominator = cap.as_integer_ratio()
    if max(top, int(km10.max(initial=1)) * denominator) < SAFE:
        out: Ints = np.minimum(km10 * denominator, top)
    else:
        out = np.minimum(km10.astype(object) * denominator, top).astype(np.int64 if top < SAFE else object)
    return out


def names_offers(bond: Bond) -> bool:
    """same_site, same_accommodation: nothing about them can be said by place alone; `apart` has a part by place."""
    return bond.target is not None and bond.kind in ("same_site", "same_accommodation")

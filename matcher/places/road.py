"""The travel model `road`: ways on the built-in network of Ukrainian trunk roads, and the minutes they take.

From a place to the network, 1.3 × the great circle to its nearest point; two places may go straight to each other, too (again 1.3 ×
the great circle), but never by less than their two points on the network are apart: rivers and fronts are crossed where roads cross
them. So defined, ways are the same in both directions, never shorter than the great circle, and keep the triangle inequality
(docs/decisions/0022-road-network.md has the proof).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from matcher.model import Spot
from matcher.places.roads import CROSS_COUNTRY, FAR, Access, Roads, cross_country_m, roads
from matcher.places.shortest import ShortestWays
from matcher.places.travel import BLOCK, TOO_NEAR, Bools, Ints, great_circle_km, great_circles, points

TRUNK_KMH = 70
OTHER_KMH = 40
"""Average speeds of a coach: on the network, and on the way from and to it."""


class Road:
    """Ways by road. closed: oblasts that no way leads through or into (one may still leave them). cut: closed sections.

    Where closures leave no way, km and minutes are those without them, and the pair is blocked: nearness to kin does not end with a
    closed road.
    """

    name = "road"

    def __init__(self, closed: Iterable[str] = (), cut: Iterable[int] = ()) -> None:
        self.network = roads()
        self.closed, self.cut = frozenset(closed), frozenset(cut)
        self._accesses: dict[tuple[float, float], Access] = {}

    def km10(self, origin: Spot, destination: Spot) -> int:
        """Road distance in whole tenths of a km, rounded half up."""
        return int(self.km10_matrix([origin], [destination])[0, 0])

    def minutes(self, origin: Spot, destination: Spot) -> int | None:
        """Whole minutes of the same way, rounded half up."""
        return int(self.minutes_matrix([origin], [destination])[0, 0])

    def blocked(self, origin: Spot, destination: Spot) -> bool:
        """Whether closures leave no way from origin to destination."""
        return bool(self.blocked_matrix([origin], [destination])[0, 0])

    def km10_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Ints:
        """`km10` of all pairs, shape (len(origins), len(destinations))."""
        metres, _, straight = self._ways(origins, destinations)
        tenth = CROSS_COUNTRY // 10
        return np.maximum((metres + 50) // 100, -(-straight // tenth))  # not below the great circle, not even by rounding

    def minutes_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Ints:
        """`minutes` of all pairs, shape (len(origins), len(destinations))."""
        metres, on_roads, _ = self._ways(origins, destinations)
        work = 6 * (OTHER_KMH * on_roads + TRUNK_KMH * (metres - on_roads))  # minutes, times `whole`
        whole = 100 * TRUNK_KMH * OTHER_KMH
        return (2 * work + whole) // (2 * whole)

    def blocked_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Bools:
        """`blocked` of all pairs, shape (len(origins), len(destinations))."""
        out = np.zeros((len(origins), len(destinations)), dtype=np.bool_)
        if self.closed or self.cut:
            here, there = self._join(origins), self._join(destinations)
            for left, rows in self._by_closed(here).items():
                found = _between(self._shortest(left), here.take(rows), there)
                out[rows] = (found >= FAR) & (_differ(origins, rows, destinations))
        return out

    def _ways(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> tuple[Ints, Ints, Ints]:
        """Metres of all pairs: (of the way, of it on the network, of the great circle times 1.3)."""
        here, there = self._join(origins), self._join(destinations)
        on_roads = np.empty((len(origins), len(destinations)), dtype=np.int64)
        for left, rows in self._by_closed(here).items():
            for entered, columns in self._by_closed(there).items():
                block = np.ix_(rows, columns)
                ones, others = here.take(rows), there.take(columns)
                found = _between(self._shortest(left | entered), ones, others)
                if (found >= FAR).any():
                    found = np.where(found < FAR, found, _between(_shortest(frozenset(), frozenset()), ones, others))
                on_roads[block] = found
        straight = _straight(origins, destinations)
        ends = here.connector[:, None], there.connector
        direct = np.maximum(straight, abs(ends[0] - ends[1]) + on_roads)
        return np.minimum(ends[0] + on_roads + ends[1], direct), on_roads, straight

    def _join(self, spots: Sequence[Spot]) -> Joined:
        """Where the spots join the network."""
        new = {(spot.lat, spot.lon): spot for spot in spots if (spot.lat, spot.lon) not in self._accesses}
        self._accesses.update(zip(new, self.network.accesses(list(new.values())), strict=True))
        return Joined(self.network, [self._accesses[spot.lat, spot.lon] for spot in spots])

    def _by_closed(self, joined: Joined) -> dict[frozenset[str], Ints]:
        """Positions of the spots by the closed oblasts that they stand in: these, one may cross to leave them."""
        groups: dict[frozenset[str], list[int]] = {}
        for i, section in enumerate(joined.section.tolist()):
            inside = self.closed & self.network.section_oblasts(section) if self.closed else frozenset()
            groups.setdefault(inside, []).append(i)
        return {inside: np.array(found, dtype=np.int64) for inside, found in groups.items()}

    def _shortest(self, opened: frozenset[str]) -> ShortestWays:
        return _shortest(self.closed - opened, self.cut)


class Joined:
    """Accesses of some spots, by column: section, the ends of it, metres to each end, metres from the spot."""

    def __init__(self, network: Roads, accesses: Sequence[Access]) -> None:
        self.network, self.accesses = network, accesses
        columns = np.array([(a.section, a.offset, a.rest, a.connector) for a in accesses], dtype=np.int64).reshape(-1, 4).T
        self.section, offset, rest, self.connector = columns
        self.ends = ((network.first[self.section], offset), (network.second[self.section], rest))

    def take(self, positions: Ints) -> Joined:
        """Some of them."""
        return Joined(self.network, [self.accesses[i] for i in positions.tolist()])


def _between(ways: ShortestWays, here: Joined, there: Joined) -> Ints:
    """Metres on the network between where the spots join it; FAR or more where there is no way."""
    out = np.full((len(here.section), len(there.section)), 2 * FAR, dtype=np.int64)
    fewer, more = (here, there) if len(here.section) <= len(there.section) else (there, here)
    for point, to_point in fewer.ends:
        sources, at = np.unique(point, return_inverse=True)
        rows = ways.rows(sources)
        for other, to_other in more.ends:
            step = max(1, BLOCK // max(1, len(other)))
            for low in range(0, len(point), step):
                part = slice(low, low + step)
                found = rows[np.ix_(at[part], other)] + to_point[part, None] + to_other
                target = out[part] if fewer is here else out.T[part]
                np.minimum(target, found, out=target)
    same = here.section[:, None] == there.section
    along = abs(here.ends[0][1][:, None] - there.ends[0][1])
    same &= ways.open[here.section][:, None]
    return np.where(same, np.minimum(out, along), out)


def _straight(origins: Sequence[Spot], destinations: Sequence[Spot]) -> Ints:
    """`cross_country_m` of all pairs; what another order of the same steps could round otherwise is asked of the scalar function."""
    out = np.empty((len(origins), len(destinations)), dtype=np.int64)
    from_, to = points(origins), points(destinations)
    step = max(1, BLOCK // max(1, len(destinations)))
    for low in range(0, len(origins), step):
        km, unsure = great_circles(from_[:, low : low + step], to)
        exact = CROSS_COUNTRY * km
        out[low : low + step] = np.ceil(exact)
        for i, j in np.argwhere(unsure | (abs(exact - np.rint(exact)) < TOO_NEAR)).tolist():
            out[low + i, j] = cross_country_m(great_circle_km(origins[low + i], destinations[j]))
    return out


def _differ(origins: Sequence[Spot], rows: Ints, destinations: Sequence[Spot]) -> Bools:
    """Pairs of two points: nobody needs a road to where they are."""
    here, there = points([origins[i] for i in rows.tolist()]), points(destinations)
    out: Bools = (here[0][:, None] != there[0]) | (here[1][:, None] != there[1])
    return out


@lru_cache(maxsize=64)
def _shortest(closed: frozenset[str], cut: frozenset[int]) -> ShortestWays:
    """Kept by content: the network is the same for everybody who closes the same roads."""
    return ShortestWays(roads().closing(closed, cut))

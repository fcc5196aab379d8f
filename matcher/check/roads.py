"""Ways by road, counted again: the built-in network read, joined, closed and searched by code of its own (decision 0022).

Where the plan's side contracts the network and searches from many points together, here every point is searched from by itself
(Dijkstra 1959).
"""

from __future__ import annotations

import lzma
import math
from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.check.exact import Bools, Ints
from matcher.errors import InternalError
from matcher.model import Spot
from matcher.places.travel import EARTH_RADIUS_KM, great_circle_km

NO_WAY = 1 << 29
DOUBT = 1e-6  # metres; the steps below are right to less than 1e-7
NEARLY_ANTIPODES = 0.99
Gap = frozenset[str]


class Joint(NamedTuple):
    """Where a place joins: a section's number, metres to its ends, metres from the place."""

    section: int
    to_first: int
    to_second: int
    off_road: int


class Joints:
    """Some places by column, to ask about them together."""

    def __init__(self, spots: Sequence[Spot], joints: Sequence[Joint]) -> None:
        self.spots = spots
        self.section, self.to_first, self.to_second, self.off_road = np.array(joints, dtype=np.int64).reshape(-1, 4).T
        self.lat, self.lon = (np.radians([getattr(spot, name) for spot in spots]) for name in ("lat", "lon"))


class OwnRoads:
    """The travel model `road` as the checker knows it."""

    name = "road"

    def __init__(self, closed: Iterable[str] = (), blocked: Iterable[tuple[Spot, Spot]] = ()) -> None:
        points, sections = lzma.decompress((files("matcher.places") / "data" / "roads.tsv.xz").read_bytes()).decode().split("\n\n")
        rows = [line.split() for line in points.split("\n")]
        self.at = [(int(lat) / 100_000, int(lon) / 100_000) for lat, lon, _ in rows]
        self.oblast = [f"UA{number}" for *_, number in rows]
        self.sections = [tuple(map(int, line.split())) for line in sections.split("\n") if line]
        coordinates = np.array([(*self.at[a], *self.at[b]) for a, b, _ in self.sections])
        self.lat_a, self.lon_a, self.lat_b, self.lon_b = coordinates.T
        self.closed = frozenset(closed)
        self._joints: dict[tuple[float, float], Joint] = {}
        self._known: dict[tuple[Gap, bool, int], NDArray[np.int32]] = {}
        self._ways: dict[tuple[Gap, bool], list[list[tuple[int, int]]]] = {}
        self.cut: set[int] = set()
        cuts = [self._cut(one, other) for one, other in blocked]
        self.cut = {section for cut in cuts for section in cut}
        self._ways.clear()

    def joint(self, spot: Spot) -> Joint:
        """Where a place joins the network: the nearest point in the plane that touches the globe there (of the first section)."""
        key = (spot.lat, spot.lon)
        if key not in self._joints:
            narrow = math.cos(math.radians(spot.lat))
            x, y = (self.lon_a - spot.lon) * narrow, self.lat_a - spot.lat
            along_x, along_y = (self.lon_b - self.lon_a) * narrow, self.lat_b - self.lat_a
            t = np.clip(-(x * along_x + y * along_y) / (along_x * along_x + along_y * along_y), 0.0, 1.0)
            x, y = x + t * along_x, y + t * along_y
            section = int(np.argmin(x * x + y * y))
            a, b, metres = self.sections[section]
            share = float(t[section])
            lat, lon = (one + share * (other - one) for one, other in zip(self.at[a], self.at[b], strict=True))
            first = math.floor(share * metres + 0.5)
            self._joints[key] = Joint(section, first, metres - first, _off_road(spot, Spot(lat=lat, lon=lon)))
        return self._joints[key]

    def joints(self, spots: Sequence[Spot]) -> Joints:
        """Where some places join."""
        return Joints(spots, list(map(self.joint, spots)))

    def oblast_of(self, spot: Spot) -> str:
        """The oblast that a place says it is in, else that of the nearer end of the section that it joins."""
        joint = self.joint(spot)
        a, b = self._ends(joint)
        return spot.adm1 or self.oblast[a if joint.to_first <= joint.to_second else b]

    def km10(self, origin: Spot, destination: Spot) -> int:
        """Tenths of a km."""
        return int(self.row(origin, self.joints([destination]))[0])

    def km10_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Ints:
        """`km10` of all pairs."""
        there = self.joints(destinations)
        return np.array([self.row(origin, there) for origin in origins], dtype=np.int64).reshape(len(origins), len(destinations))

    def row(self, spot: Spot, others: Joints) -> Ints:
        """km10 between a spot and others; the same in both directions."""
        metres, _, straight = self._measure(spot, others)
        return np.maximum((metres + 50) // 100, -(-straight // 130))

    def minutes(self, origin: Spot, destination: Spot) -> int:
        """Whole minutes, half up: 70 km/h on the network, 40 elsewhere."""
        metres, on_roads, _ = self._measure(origin, self.joints([destination]))
        fast, slow = int(on_roads[0]), int(metres[0] - on_roads[0])
        return (2 * (12 * fast + 21 * slow) + 14_000) // 28_000

    def minutes_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Ints:
        """`minutes` of all pairs."""
        values = [[self.minutes(origin, destination) for destination in destinations] for origin in origins]
        return np.array(values, dtype=np.int64).reshape(len(origins), len(destinations))

    def blocked(self, origin: Spot, destination: Spot) -> bool:
        """No way through, or into a closed oblast."""
        return bool(self.shut(origin, self.joints([destination]))[0])

    def blocked_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Bools:
        """`blocked` of all pairs."""
        there = self.joints(destinations)
        return np.array([self.shut(origin, there) for origin in origins], dtype=np.bool_).reshape(len(origins), len(destinations))

    def shut(self, origin: Spot, others: Joints) -> Bools:
        """To which of the others closures leave no way from the origin. One may leave the closed oblast that one is in."""
        if not self.closed and not self.cut:
            return np.zeros(len(others.spots), dtype=np.bool_)
        found = self._on_roads(self.joint(origin), others, self.closed - self._touched(self.joint(origin).section), as_is=False)
        elsewhere = [(spot.lat, spot.lon) != (origin.lat, origin.lon) for spot in others.spots]
        return (found >= NO_WAY) & np.array(elsewhere, dtype=np.bool_)

    def _measure(self, spot: Spot, others: Joints) -> tuple[Ints, Ints, Ints]:
        """(metres of the way, metres of it on the network, metres straight across) to each of the others."""
        joint = self.joint(spot)
        own = self._touched(joint.section)
        roads = np.empty(len(others.spots), dtype=np.int64)
        inside = [own | self._touched(section) for section in others.section.tolist()] if self.closed else [own] * len(roads)
        for gap in set(inside):
            at = np.array([one == gap for one in inside], dtype=np.bool_)
            found = self._on_roads(joint, others, self.closed - gap, as_is=False)
            if (found[at] >= NO_WAY).any():
                found = np.where(found >= NO_WAY, self._on_roads(joint, others, frozenset(), as_is=True), found)
            roads[at] = found[at]
        straight = self._straight(spot, others)
        direct = np.maximum(straight, np.abs(joint.off_road - others.off_road) + roads)
        return np.minimum(joint.off_road + roads + others.off_road, direct), roads, straight

    def _straight(self, spot: Spot, others: Joints) -> Ints:
        """`_off_road` to each; where its last digits could matter, asked one by one."""
        lat, lon = np.radians(spot.lat), np.radians(spot.lon)
        h = np.sin((others.lat - lat) / 2) ** 2 + np.cos(lat) * np.cos(others.lat) * np.sin((others.lon - lon) / 2) ** 2
        metres = 1300 * 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(1.0, h)))
        values: Ints = np.ceil(metres).astype(np.int64)
        for index in np.flatnonzero((np.abs(metres - np.rint(metres)) < DOUBT) | (h > NEARLY_ANTIPODES)).tolist():
            values[index] = _off_road(spot, others.spots[index])
        return values

    def _touched(self, section: int) -> Gap:
        """Closed oblasts that a section lies in."""
        return self.closed & {self.oblast[end] for end in self.sections[section][:2]}

    def _ends(self, joint: Joint) -> tuple[int, int]:
        a, b, _ = self.sections[joint.section]
        return a, b

    def _is_open(self, section: int, closed: Gap, as_is: bool) -> bool:
        return as_is or (section not in self.cut and not closed & {self.oblast[end] for end in self.sections[section][:2]})

    def _on_roads(self, joint: Joint, others: Joints, closed: Gap, *, as_is: bool) -> Ints:
        """Metres on the network from a joint to others, NO_WAY or more where there is none. as_is: with nothing closed."""
        ends = np.array([self.sections[section][:2] for section in others.section.tolist()], dtype=np.int64).reshape(-1, 2).T
        best = np.full(len(others.section), NO_WAY, dtype=np.int64)
        for end, metres in zip(self._ends(joint), (joint.to_first, joint.to_second), strict=True):
            row = self._row(closed, as_is, end)
            for far, rest in zip(ends, (others.to_first, others.to_second), strict=True):
                best = np.minimum(best, metres + row[far] + rest)
        if self._is_open(joint.section, closed, as_is):
            together = others.section == joint.section
            best[together] = np.minimum(best, np.abs(others.to_first - joint.to_first))[together]
        return best

    def _row(self, closed: Gap, as_is: bool, source: int) -> NDArray[np.int32]:
        """Metres from a point to every point."""
        if (closed, as_is, source) not in self._known:
            self._known[closed, as_is, source] = _search(self._neighbours(closed, as_is), {source: 0})
        return self._known[closed, as_is, source]

    def _neighbours(self, closed: Gap, as_is: bool) -> list[list[tuple[int, int]]]:
        """(point, metres) next to each point."""
        if (closed, as_is) not in self._ways:
            ways: list[list[tuple[int, int]]] = [[] for _ in self.at]
            for section, (a, b, metres) in enumerate(self.sections):
                if self._is_open(section, closed, as_is):
                    ways[a].append((b, metres))
                    ways[b].append((a, metres))
            self._ways[closed, as_is] = ways
        return self._ways[closed, as_is]

    def _cut(self, one: Spot, other: Spot) -> list[int]:
        """The middle section of the shortest way between two places, and so on until the way left is a tenth longer."""
        start, end = self.joint(one), self.joint(other)
        cut: list[int] = []
        first = None
        while True:
            self.cut = set(cut)
            self._ways.clear()
            start_end = dict(zip(self._ends(start), start[1:3], strict=True))
            far = _search(self._neighbours(frozenset(), as_is=False), start_end)
            total, here = min((int(far[p]) + metres, p) for p, metres in zip(self._ends(end), end[1:3], strict=True))
            first = total if first is None else first
            if total >= NO_WAY or 10 * total >= 11 * first:
                return cut
            way: list[int] = []
            while far[here] != start_end.get(here):
                steps = [(a + b - here, k, m) for k, (a, b, m) in enumerate(self.sections) if here in (a, b) and k not in self.cut]
                here, section = min((there, k) for there, k, m in steps if far[there] + m == far[here])
                way.insert(0, section)
            if not way:
                raise InternalError("a blocked road between places that validation finds too near to each other")
            cut.append(way[len(way) // 2])


def _off_road(one: Spot, other: Spot) -> int:
    """Metres of way across country, rounded up: 1.3 times the great circle."""
    return math.ceil(1300 * great_circle_km(one, other))


def _search(ways: list[list[tuple[int, int]]], sources: dict[int, int]) -> NDArray[np.int32]:
    """Metres to every point from sources, each with metres to begin with."""
    far = [NO_WAY] * len(ways)
    queue = [(metres, point) for point, metres in sources.items()]
    for metres, point in queue:
        far[point] = metres
    heapify(queue)
    while queue:
        metres, here = heappop(queue)
        if metres == far[here]:
            for there, further in ways[here]:
                if metres + further < far[there]:
                    far[there] = metres + further
                    heappush(queue, (far[there], there))
    return np.array(far, dtype=np.int32)

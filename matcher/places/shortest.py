"""Shortest ways in a road network from many points at once.

Contraction in order of least degree, without witnesses (Geisberger et al. 2008, "Contraction Hierarchies"), then one sweep up
and one down for all sources together (Delling et al. 2011, "PHAST"): a few thousand steps of numpy whatever the number of
sources. Sums of whole metres, so every order of additions gives the same result.
"""

from __future__ import annotations

import heapq
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from matcher.places.roads import FAR, Roads
from matcher.places.travel import Ints

Metres = NDArray[np.int32]
SOURCES = 512  # asked for together; more would not fit the processor's cache


class ShortestWays:
    """Metres between the points of a network; FAR where there is no way. Remembers what it was asked; for several threads.

    open: the sections that can be used.
    """

    def __init__(self, roads: Roads) -> None:
        self.points = len(roads.lat)
        self.open = roads.open
        self._order, self._above = _contract(roads)
        self._known: dict[int, Metres] = {}
        self._lock = Lock()

    def rows(self, sources: Ints) -> Metres:
        """Metres from each source to every point, shape (len(sources), points)."""
        with self._lock:
            new = sorted({int(source) for source in sources} - self._known.keys())
            for low in range(0, len(new), SOURCES):
                part = new[low : low + SOURCES]
                self._known.update(zip(part, self._sweep(part), strict=True))
            out = [self._known[int(source)] for source in sources]
        return np.stack(out) if out else np.empty((0, self.points), dtype=np.int32)

    def _sweep(self, sources: list[int]) -> Metres:
        far: Metres = np.full((self.points, len(sources)), FAR, dtype=np.int32)
        far[sources, np.arange(len(sources))] = 0
        for point in self._order:
            above, metres = self._above[point]
            if len(above):
                far[above] = np.minimum(far[above], far[point] + metres)
        for point in reversed(self._order):
            above, metres = self._above[point]
            if len(above):
                far[point] = np.minimum(far[point], (far[above] + metres).min(axis=0))
        out: Metres = np.minimum(far, FAR).T.copy()
        return out


def _contract(roads: Roads) -> tuple[list[int], list[tuple[Ints, Metres]]]:
    """(points from the least to the most important, of each point: the more important ones it leads to, metres as a column)."""
    ways: list[dict[int, int]] = [{} for _ in roads.lat]
    for a, b, metres, is_open in zip(*(column.tolist() for column in (roads.first, roads.second, roads.metres, roads.open)), strict=True):
        if is_open:
            ways[a][b] = ways[b][a] = min(metres, ways[a].get(b, FAR))
    order: list[int] = []
    above: list[tuple[Ints, Metres]] = [(np.empty(0, dtype=np.int64), np.empty((0, 1), dtype=np.int32))] * len(ways)
    queue = [(len(near), point) for point, near in enumerate(ways)]
    heapq.heapify(queue)
    done = [False] * len(ways)
    while queue:
        degree, point = heapq.heappop(queue)
        if done[point] or degree != len(ways[point]):
            continue
        done[point] = True
        order.append(point)
        near = sorted(ways[point].items())
        above[point] = (np.array([n for n, _ in near], dtype=np.int64), np.array([m for _, m in near], dtype=np.int32).reshape(-1, 1))
        for k, (a, to_a) in enumerate(near):
            for b, to_b in near[k + 1 :]:
                through = to_a + to_b
                if through < ways[a].get(b, FAR):
                    ways[a][b] = ways[b][a] = through
        for neighbour, _ in near:
            del ways[neighbour][point]
            heapq.heappush(queue, (len(ways[neighbour]), neighbour))
    return order, above

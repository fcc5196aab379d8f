"""The built-in road network of Ukraine (data/README.md): points joined by sections, and where a place joins it.

All lengths are whole metres, so that ways add up exactly in any order and either direction.
"""

from __future__ import annotations

import hashlib
import heapq
import lzma
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from matcher.errors import Fault, InputError, InternalError
from matcher.model import Spot
from matcher.places.travel import Bools, Floats, Ints, great_circle_km

DATA = "roads.tsv.xz"
DEGREES = 100_000  # the file's coordinates are in 1/100,000 degree
CROSS_COUNTRY = 1300
"""Metres of way for a km of great circle where no road of the network is known: 1.3 times as far."""
AS_GOOD = (11, 10)
"""A way counts as the same road as the shortest one while it is less than a tenth longer (`cut_between`)."""
FAR = 1 << 29
"""Metres that no way in the network comes to: there is none. Two of them still fit 32 bits."""
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Access:
    """Where a place joins the network: its nearest point of a section, as the crow flies.

    section: its number. offset, rest: metres along it to its first and to its second end. connector: metres from the place to it.
    """

    section: int
    offset: int
    rest: int
    connector: int


@dataclass(frozen=True, eq=False)
class Roads:
    """The network. lat, lon: of each point, in degrees. oblasts: P-code of each point. first, second: the ends of each section.
    metres: its length. open: whether it can be driven on. sha256: of the data."""

    lat: Floats
    lon: Floats
    oblasts: tuple[str, ...]
    first: Ints
    second: Ints
    metres: Ints
    open: Bools
    sha256: str

    def section_oblasts(self, section: int) -> frozenset[str]:
        """The oblasts that a section lies in."""
        return frozenset((self.oblasts[self.first[section]], self.oblasts[self.second[section]]))

    def closing(self, oblasts: Iterable[str], sections: Iterable[int] = ()) -> Roads:
        """The network without the sections that touch one of these oblasts, and without these sections."""
        closed = np.array([code in frozenset(oblasts) for code in self.oblasts], dtype=np.bool_)
        open_ = self.open & ~closed[self.first] & ~closed[self.second]
        open_[list(sections)] = False
        return replace(self, open=open_)

    def accesses(self, spots: Sequence[Spot]) -> list[Access]:
        """Where each spot joins the network, closed or not: a place stands where it stands."""
        out: list[Access] = []
        step = max(1, CHUNK // len(self.metres))
        for low in range(0, len(spots), step):
            out += self._join(spots[low : low + step])
        return out

    def _join(self, spots: Sequence[Spot]) -> list[Access]:
        """The nearest point in the plane that touches the globe at the spot: what is added, in what order, stands in decision 0022, and
        the checker counts it again. The first of several sections that are equally near."""
        shrink = np.array([math.cos(math.radians(spot.lat)) for spot in spots])[:, None]
        lat, lon = (np.array([getattr(spot, name) for spot in spots])[:, None] for name in ("lat", "lon"))
        x, y = (self.lon[self.first] - lon) * shrink, self.lat[self.first] - lat
        dx, dy = (self.lon[self.second] - self.lon[self.first]) * shrink, self.lat[self.second] - self.lat[self.first]
        share = np.minimum(1.0, np.maximum(0.0, -(x * dx + y * dy) / (dx * dx + dy * dy)))
        off = (x + share * dx) ** 2 + (y + share * dy) ** 2
        nearest = np.argmin(off, axis=1)
        shares = share[np.arange(len(spots)), nearest]
        return [self._access(spot, s, t) for spot, s, t in zip(spots, nearest.tolist(), shares.tolist(), strict=True)]

    def _access(self, spot: Spot, section: int, share: float) -> Access:
        a, b = int(self.first[section]), int(self.second[section])
        lat = float(self.lat[a]) + share * float(self.lat[b] - self.lat[a])
        lon = float(self.lon[a]) + share * float(self.lon[b] - self.lon[a])
        metres = int(self.metres[section])
        offset = math.floor(share * metres + 0.5)
        return Access(section, offset, metres - offset, cross_country_m(great_circle_km(spot, Spot(lat=lat, lon=lon))))

    def cut_between(self, one: Spot, other: Spot, names: tuple[str, str]) -> frozenset[int]:
        """Sections to close so that the road between two places is: the middle section of the shortest way, and again until what is
        left is a tenth longer than it was. (A dual carriageway is two roads side by side.) Raises InputError: no road to cut."""
        ends = self.accesses([one, other])
        cut: set[int] = set()
        shortest: int | None = None
        while True:
            metres, way = self._way(ends[0], ends[1], cut)
            if shortest is None:
                shortest = metres
            if metres >= FAR or metres * AS_GOOD[1] >= shortest * AS_GOOD[0]:
                return frozenset(cut)
            if not way:
                text = f"{names[0]!r} and {names[1]!r} are too near to each other to tell the road between them; name places further apart"
                raise InputError([Fault("policy.toml", 0, "travel.blocked", "policy_value", text)])
            cut.add(way[len(way) // 2])

    def _way(self, start: Access, end: Access, cut: set[int]) -> tuple[int, list[int]]:
        """(metres, whole sections on the shortest way in between, from start to end). Of equally short ways, the one that comes to each
        point from the point with the smallest number, seen from the end."""
        ways = self._neighbours
        source = {int(self.first[start.section]): start.offset, int(self.second[start.section]): start.rest}
        best = dict(source)
        queue = [(metres, point) for point, metres in best.items()]
        heapq.heapify(queue)
        while queue:
            metres, here = heapq.heappop(queue)
            if metres > best[here]:
                continue
            for there, section in ways[here]:
                further = metres + int(self.metres[section])
                if section not in cut and self.open[section] and further < best.get(there, FAR):
                    best[there] = further
                    heapq.heappush(queue, (further, there))
        last = [(int(self.first[end.section]), end.offset), (int(self.second[end.section]), end.rest)]
        total, here = min((best.get(point, FAR) + metres, point) for point, metres in last)
        way: list[int] = []
        while total < FAR and best[here] != source.get(here):
            here, section = min(
                (there, section) for there, section in ways[here]
                if section not in cut and self.open[section] and best.get(there, FAR) + int(self.metres[section]) == best[here]
            )  # fmt: skip
            way.append(section)
        return min(total, FAR), way[::-1]

    @property
    def _neighbours(self) -> dict[int, list[tuple[int, int]]]:
        """(other point, section) of each point."""
        out: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for section, (a, b) in enumerate(zip(self.first.tolist(), self.second.tolist(), strict=True)):
            out[a].append((b, section))
            out[b].append((a, section))
        return out


def cross_country_m(great_circle: float) -> int:
    """Metres of way for a great circle in km where no road is known, rounded up."""
    return math.ceil(CROSS_COUNTRY * great_circle)


def nearest_oblast(spot: Spot) -> str:
    """The oblast of the road point that is nearest to a spot of which only coordinates are known."""
    network = roads()
    access = network.accesses([spot])[0]
    point = network.first if access.offset <= access.rest else network.second
    return network.oblasts[int(point[access.section])]


@cache
def roads() -> Roads:
    """The built-in network, read at the first call."""
    packed = (files("matcher.places") / "data" / DATA).read_bytes()
    points, empty, sections = lzma.decompress(packed).decode().partition("\n\n")
    if not empty:
        raise InternalError(f"{DATA} is not a road network")
    lat, lon, oblast = zip(*(line.split("\t") for line in points.splitlines()), strict=True)
    first, second, metres = (np.array(column, dtype=np.int64) for column in _columns(sections))
    return Roads(
        lat=np.array(lat, dtype=np.float64) / DEGREES,
        lon=np.array(lon, dtype=np.float64) / DEGREES,
        oblasts=tuple(f"UA{number}" for number in oblast),
        first=first,
        second=second,
        metres=metres,
        open=np.ones(len(metres), dtype=np.bool_),
        sha256=hashlib.sha256(packed).hexdigest(),
    )


def _columns(text: str) -> NDArray[np.str_]:
    return np.array([line.split("\t") for line in text.splitlines()], dtype=np.str_).T

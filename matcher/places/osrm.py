"""The travel model `osrm`: a routing server of one's own is asked once, before a run; the run works with the answers.

Nothing but the configured address is asked: no proxy of the environment, no redirect. Tables go in batches, failures are tried again,
answers are kept on disk under a hash of what was asked (`cache.py`).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.errors import InternalError, UsageError
from matcher.measured import NO_WAY, Measured, Point
from matcher.model import Instance, Spot
from matcher.places.cache import Kept
from matcher.places.travel import Bools, GreatCircle, Ints, great_circle_km
from matcher.policy import TravelPolicy

BATCH = 100
"""Points in a row or a column of one question; osrm-routed allows 100 by 100 unless told otherwise."""
MOST_POINTS = 3_000
"""More would be 900 questions, and a file of 70 MB beside the run."""
OFF_ROAD = 1300
OFF_ROAD_KMH = 40
"""From a place to the road that the server finds for it: metres for a km as the crow flies, and how fast."""

Numbers = NDArray[np.float64]
log = logging.getLogger(__name__)


def points_of(instance: Instance) -> tuple[Point, ...]:
    """All points that ways of an instance begin or end at, sorted."""
    points = {(row.spot.lat, row.spot.lon) for rows in (instance.accommodations, instance.households) for row in rows}
    points |= {(row.origin.lat, row.origin.lon) for row in instance.households if row.origin is not None}
    points |= {(row.spot.lat, row.spot.lon) for row in instance.ties if row.spot is not None}
    return tuple(sorted(points))


def measure(instance: Instance, travel: TravelPolicy) -> Measured:
    """Ask the server for all ways between the points of an instance: remedies are offers where only households are now.

    Raises UsageError: no server named, no answer, an answer that cannot be, too many points.
    """
    points = points_of(instance)
    if len(points) > MOST_POINTS:
        raise UsageError(f"the travel model 'osrm' serves {MOST_POINTS:,} places, and here are {len(points):,}; use model = \"road\"")
    if travel.osrm_url is None:
        raise UsageError(
            'the travel model "osrm" needs a server: set osrm_url = "http://127.0.0.1:5000" under [travel], or use model = "road"'
        )
    server = _Server(travel.osrm_url, travel.osrm_profile)
    found = server.table(points)
    metres = np.maximum(found.metres, found.metres.T)  # NaN, where one of them has no way, stays NaN
    seconds = np.maximum(found.seconds, found.seconds.T)
    known = ~(np.isnan(metres) | np.isnan(seconds))
    km10, minutes = (
        np.where(known, np.floor(np.where(known, numbers, 0) / unit + 0.5), NO_WAY).astype(np.int32)
        for numbers, unit in ((metres, 100), (seconds, 60))
    )
    np.fill_diagonal(km10, 0)
    np.fill_diagonal(minutes, 0)
    return Measured(points, km10, minutes, f"{travel.osrm_url} {travel.osrm_profile}")


class Osrm:
    """Ways as measured. Where the server knows none, the pair is blocked, and its km are the estimate."""

    name = "osrm"

    def __init__(self, measured: Measured) -> None:
        self.measured = measured
        self.estimate = GreatCircle()

    def km10(self, origin: Spot, destination: Spot) -> int:
        """Road distance in whole tenths of a km."""
        return int(self.km10_matrix([origin], [destination])[0, 0])

    def km10_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Ints:
        """`km10` of all pairs, shape (len(origins), len(destinations))."""
        out = self._taken(self.measured.km10, origins, destinations)
        for i, j in np.argwhere(out == NO_WAY).tolist():
            out[i, j] = self.estimate.km10(origins[i], destinations[j])
        return out

    def minutes(self, origin: Spot, destination: Spot) -> int | None:
        """Whole minutes; None where there is no way."""
        minutes = int(self._taken(self.measured.minutes, [origin], [destination])[0, 0])
        return None if minutes == NO_WAY else minutes

    def minutes_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Ints:
        """`minutes` of all pairs, NO_WAY where there is none, shape (len(origins), len(destinations))."""
        return self._taken(self.measured.minutes, origins, destinations)

    def blocked(self, origin: Spot, destination: Spot) -> bool:
        """Whether the server knows no way."""
        return bool(self.blocked_matrix([origin], [destination])[0, 0])

    def blocked_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Bools:
        """`blocked` of all pairs, shape (len(origins), len(destinations))."""
        out: Bools = self._taken(self.measured.km10, origins, destinations) == NO_WAY
        return out

    def _taken(self, table: NDArray[np.int32], origins: Sequence[Spot], destinations: Sequence[Spot]) -> Ints:
        here, there = (self.measured.positions([(spot.lat, spot.lon) for spot in spots]) for spots in (origins, destinations))
        if here is None or there is None:
            raise InternalError("a way was asked for that has not been measured: one of its ends is no place of the instance")
        return table[np.ix_(here, there)].astype(np.int64)


@dataclass(frozen=True)
class _Answer:
    """Metres and seconds, NaN where there is no way; what leads from and to the roads is in."""

    metres: Numbers
    seconds: Numbers


class _Server:
    """Questions to one address."""

    def __init__(self, url: str, profile: str) -> None:
        try:
            from matcher.places.direct import client
        except ImportError as error:
            raise UsageError("the travel model 'osrm' is not installed in this build; install shelter-matcher[osrm]") from error
        self.url, self.profile = url, profile
        self.router = client(url)
        self.kept = Kept("osrm")

    def table(self, points: Sequence[Point]) -> _Answer:
        """All ways between points, asked in batches."""
        metres, seconds = (np.zeros((len(points), len(points))) for _ in range(2))
        for rows in _batches(len(points)):
            for columns in _batches(len(points)):
                found = self._batch(points[rows], points[columns])
                metres[rows, columns], seconds[rows, columns] = found.metres, found.seconds
        return _Answer(metres, seconds)

    def _batch(self, sources: Sequence[Point], destinations: Sequence[Point]) -> _Answer:
        question = [self.url, self.profile, list(map(list, sources)), list(map(list, destinations))]
        known = self.kept.get(question)
        if known is None:
            known = self._ask(sources, destinations)
            self.kept.put(question, known)
        metres, seconds = (np.array(table, dtype=np.float64).reshape(len(sources), len(destinations)) for table in known)
        return _Answer(metres, seconds)

    def _ask(self, sources: Sequence[Point], destinations: Sequence[Point]) -> list[list[list[float | None]]]:
        """[metres, seconds], None where there is no way."""
        locations = [[lon, lat] for lat, lon in (*sources, *destinations)]
        numbers = range(len(locations))
        found = self.router.matrix(
            locations, self.profile, sources=list(numbers[: len(sources)]), destinations=list(numbers[len(sources) :])
        ).raw
        try:
            return _checked(found, sources, destinations)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise UsageError(f"the routing server {self.url} gave an answer that is not one of OSRM's table service ({error})") from error


def _checked(found: Any, sources: Sequence[Point], destinations: Sequence[Point]) -> list[list[list[float | None]]]:
    """The answer's tables with the ways from and to the road. Raises ValueError and its like where it is not as it should be."""
    if found["code"] != "Ok":
        raise ValueError(f"code {found['code']!r}")
    off = [_off_road(points, found[name]) for points, name in ((sources, "sources"), (destinations, "destinations"))]
    out = []
    for name, per_metre in (("distances", 1.0), ("durations", 3.6 / OFF_ROAD_KMH)):
        table = found[name]
        if len(table) != len(sources) or any(len(row) != len(destinations) for row in table):
            raise ValueError(f"{name} of another shape than asked for")
        out.append(
            [[_sum(cell, (a + b) * per_metre) for b, cell in zip(off[1], row, strict=True)] for a, row in zip(off[0], table, strict=True)]
        )
    return out


def _sum(cell: Any, more: float) -> float | None:
    if cell is None:
        return None
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not 0 <= cell < 1e8:
        raise ValueError(f"{cell!r} is not a distance or a duration")
    return float(cell) + more


def _off_road(points: Sequence[Point], found: Any) -> list[float]:
    """Metres between each point and where the server has put it on a road."""
    if len(found) != len(points):
        raise ValueError("another number of places than asked for")
    out = []
    for (lat, lon), place in zip(points, found, strict=True):
        there = Spot(lat=place["location"][1], lon=place["location"][0])
        out.append(float(math.ceil(OFF_ROAD * great_circle_km(Spot(lat=lat, lon=lon), there))))
    return out


def _batches(count: int) -> Iterator[slice]:
    return (slice(low, low + BATCH) for low in range(0, count, BATCH))

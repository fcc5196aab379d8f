"""How far two spots are apart, and whether they are one place (MODEL.md, Distance).

Distances leave this module as whole tenths of a kilometre (`km10`), so that every sum above is exact.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from matcher.errors import Fault, InputError, InternalError, UsageError
from matcher.measured import NO_WAY
from matcher.model import Spot, TravelRow

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

EARTH_RADIUS_KM = 6371.0088
SAME_PLACE_KM = 5.0

# Values of whole arrays may differ from those of the scalar functions in the last digits, so whatever lies this near to where
# it would be rounded otherwise is asked of the scalar function. Nearly opposite ends of the earth (`HALFWAY` is the square of
# the sine of half the angle) magnify such differences, and are always asked there.
TOO_NEAR = 1e-6
HALFWAY = 0.99
BLOCK = 1 << 16
MOST_KM10 = 1 << 45

# Enough for 1,000 by 1,000 spots. Instances with coordinates for every row could otherwise fill the memory with pairs.
MEMO_LIMIT = 1_000_000


def great_circle_km(a: Spot, b: Spot) -> float:
    """Great-circle distance in km on a sphere of radius EARTH_RADIUS_KM (haversine formula)."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half_lat = (lat_b - lat_a) / 2
    half_lon = math.radians(b.lon - a.lon) / 2
    h = math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, h)))


def road_km(great_circle: float) -> float:
    """Road km expected for a great-circle distance in km: d · (1.16 + 0.15 · exp(−d/300)); grows with d."""
    return great_circle * (1.16 + 0.15 * math.exp(-great_circle / 300))


def same_place(a: Spot, b: Spot) -> bool:
    """Whether two spots are the same settlement: by key where both have one, else within SAME_PLACE_KM."""
    if a.key is not None and b.key is not None:
        return a.key == b.key
    return great_circle_km(a, b) <= SAME_PLACE_KM


def points(spots: Sequence[Spot]) -> Floats:
    """Latitudes and longitudes in degrees, shape (2, len(spots))."""
    return np.array([(spot.lat, spot.lon) for spot in spots], dtype=np.float64).reshape(-1, 2).T


def great_circles(origins: Floats, destinations: Floats) -> tuple[Floats, Bools]:
    """(great-circle km of all pairs of points, whether they may be off by more than the last digits), by origin and destination."""
    (lat_a, lon_a), (lat_b, lon_b) = origins, destinations
    degree = math.pi / 180.0
    half_lat = (lat_b * degree - (lat_a * degree)[:, None]) / 2
    half_lon = (lon_b - lon_a[:, None]) * degree / 2
    h = np.sin(half_lat) ** 2 + np.cos(lat_a * degree)[:, None] * np.cos(lat_b * degree) * np.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(1.0, h))), h > HALFWAY


def same_places(origins: Sequence[Spot], destinations: Sequence[Spot]) -> Bools:
    """`same_place` of all pairs, shape (len(origins), len(destinations))."""
    numbers: dict[str, int] = {}
    here, there = (
        np.array([-1 if s.key is None else numbers.setdefault(s.key, len(numbers)) for s in spots], dtype=np.int64)
        for spots in (origins, destinations)
    )
    out: Bools = (here[:, None] == there) & (here[:, None] >= 0)
    from_, to = points(origins), points(destinations)
    step = max(1, BLOCK // max(1, len(destinations)))
    for keyed in (False, True):  # pairs of which one has no key: all of an origin without, some of one with
        rows, columns = np.flatnonzero((here >= 0) == keyed), np.flatnonzero((there < 0) | (not keyed))
        for low in range(0, len(rows) if len(columns) else 0, step):
            part = rows[low : low + step]
            km, unsure = great_circles(from_[:, part], to[:, columns])
            near = km <= SAME_PLACE_KM
            for i, j in np.argwhere(unsure | (abs(km - SAME_PLACE_KM) < TOO_NEAR)).tolist():
                near[i, j] = same_place(origins[part[i]], destinations[columns[j]])
            out[np.ix_(part, columns)] = near
    return out


class TravelModel(Protocol):
    """Estimates the way between two spots that travel.csv does not know."""

    @property
    def name(self) -> str:
        """As in the policy."""

    def km10(self, origin: Spot, destination: Spot) -> int:
        """Road distance in whole tenths of a km, rounded half up."""

    def km10_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Ints:
        """`km10` of all pairs, the very same numbers, shape (len(origins), len(destinations))."""

    def minutes(self, origin: Spot, destination: Spot) -> int | None:
        """How long the way takes, in whole minutes; None from a model that does not tell."""

    def minutes_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Ints | None:
        """`minutes` of all pairs, NO_WAY where there is none, shape (len(origins), len(destinations)); None: the model does not tell."""

    def blocked(self, origin: Spot, destination: Spot) -> bool:
        """Whether there is no way through from origin to destination."""

    def blocked_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Bools:
        """`blocked` of all pairs, shape (len(origins), len(destinations))."""


@dataclass(frozen=True, slots=True)
class GreatCircle:
    """The road distance expected for the great-circle distance (see `road_km`). The same in both directions."""

    name: str = "great_circle"

    def km10(self, origin: Spot, destination: Spot) -> int:
        """Road distance in whole tenths of a km, rounded half up."""
        return math.floor(10 * road_km(great_circle_km(origin, destination)) + 0.5)

    def km10_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Ints:
        """`km10` of all pairs, the very same numbers, shape (len(origins), len(destinations))."""
        out = np.empty((len(origins), len(destinations)), dtype=np.int64)
        from_, to = points(origins), points(destinations)
        step = max(1, BLOCK // max(1, len(destinations)))
        for low in range(0, len(origins), step):
            km, unsure = great_circles(from_[:, low : low + step], to)
            exact = 10 * (km * (1.16 + 0.15 * np.exp(-km / 300))) + 0.5
            whole = np.floor(exact)
            out[low : low + step] = whole
            for i, j in np.argwhere(unsure | (exact - whole < TOO_NEAR) | (exact - whole > 1 - TOO_NEAR)).tolist():
                out[low + i, j] = self.km10(origins[low + i], destinations[j])
        return out

    def minutes(self, origin: Spot, destination: Spot) -> None:
        """Nobody knows by what roads."""

    def minutes_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> None:
        """Nobody knows by what roads."""

    def blocked(self, origin: Spot, destination: Spot) -> bool:  # noqa: ARG002
        """Nothing is known to block a straight line."""
        return False

    def blocked_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Bools:
        """Nothing is known to block a straight line."""
        return np.zeros((len(origins), len(destinations)), dtype=np.bool_)


def travel_model(name: str) -> TravelModel:
    """The travel model that needs no more than its name. Raises UsageError for the others (`places.models.travel_for` has them)."""
    if name == "great_circle":
        return GreatCircle()
    if name in ("road", "osrm"):
        raise UsageError(f"the travel model {name!r} needs an instance and its policy; by name alone there is 'great_circle'")
    raise UsageError(f"there is no travel model {name!r}; choices: 'great_circle', 'road', 'osrm'")


@dataclass(frozen=True, slots=True)
class Leg:
    """The way from one spot to another.

    km10: tenths of a km. minutes: None where nobody has said. blocked: no way through, in either direction.
    estimated: km10 comes from the travel model, not from travel.csv.
    """

    km10: int
    minutes: Decimal | None
    blocked: bool
    estimated: bool


class Travel:
    """Known distances first, the model's estimate for the rest. Remembers what it has answered; can be pickled.

    Raises InternalError for rows without keys or for one pair twice in one direction: validation lets neither pass.
    """

    def __init__(self, rows: Iterable[TravelRow], model: TravelModel) -> None:
        self.model = model
        self._rows: dict[tuple[str, str], TravelRow] = {}
        self._memo: dict[tuple[float, float, str | None, float, float, str | None], Leg] = {}
        for row in rows:
            origin, destination = row.origin.key, row.destination.key
            if origin is None or destination is None:
                raise InternalError("a row of travel.csv between spots without keys")
            if (origin, destination) in self._rows:
                raise InternalError(f"two rows of travel.csv from {origin} to {destination}")
            self._rows[origin, destination] = row

    def km10(self, origin: Spot, destination: Spot) -> int:
        """Road distance in whole tenths of a km."""
        return self.leg(origin, destination).km10

    def leg(self, origin: Spot, destination: Spot) -> Leg:
        """The way from origin to destination."""
        # Hashing a pydantic model walks all its fields; a tuple of what the answer depends on is several times cheaper.
        pair = (origin.lat, origin.lon, origin.key, destination.lat, destination.lon, destination.key)
        leg = self._memo.get(pair)
        if leg is None:
            if len(self._memo) >= MEMO_LIMIT:
                self._memo.clear()
            leg = self._memo[pair] = self._look_up(origin, destination)
        return leg

    def km10_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Ints:
        """`km10` of all pairs, shape (len(origins), len(destinations)). Not remembered. Raises InputError: km too large."""
        out = self.model.km10_matrix(origins, destinations)
        here, there = _by_key(origins), _by_key(destinations)
        known = [(pair, row.km) for pair, row in self._rows.items() if row.km is not None]
        for pair, km in [*((pair[::-1], km) for pair, km in known), *known]:  # a pair's own row wins over the reverse one
            if pair[0] in here and pair[1] in there:
                if tenths(km) > MOST_KM10:
                    raise InputError([Fault("travel.csv", 0, "km", "numbers_too_large", "a distance is too large for exact arithmetic")])
                out[np.ix_(here[pair[0]], there[pair[1]])] = tenths(km)
        return out

    def minutes_of(
        self, origins: Sequence[Spot], destinations: Sequence[Spot], first: Ints, second: Ints
    ) -> tuple[Ints, list[Decimal | None]]:
        """Minutes from origins[first[i]] to destinations[second[i]]: (code of each i, value of each code); code 0 is unknown."""
        known = {pair for pair, row in self._rows.items() if row.minutes is not None}
        values, out = self._model_minutes(origins, destinations, first, second)
        for (i, j), where in _pairs_between(known, origins, destinations, first, second):
            out[where] = len(values)
            values.append(self.leg(origins[i], destinations[j]).minutes)
        return out, values

    def _model_minutes(
        self, origins: Sequence[Spot], destinations: Sequence[Spot], first: Ints, second: Ints
    ) -> tuple[list[Decimal | None], Ints]:
        """(values, code of each pair) as the model tells."""
        out = np.zeros(len(first), dtype=np.int64)
        values: list[Decimal | None] = [None]
        step = max(1, (1 << 20) // max(1, len(destinations)))
        for low in range(0, len(origins), step):
            minutes = self.model.minutes_matrix(origins[low : low + step], destinations)
            here = np.flatnonzero((first >= low) & (first < low + step))
            if minutes is not None and len(here):
                found, code = np.unique(minutes[first[here] - low, second[here]], return_inverse=True)
                out[here] = code + len(values)
                values += [None if found_minutes == NO_WAY else Decimal(found_minutes) for found_minutes in found.tolist()]
        return values, out

    def known_km(self, origins: Sequence[Spot], destinations: Sequence[Spot], first: Ints, second: Ints) -> Bools:
        """Whether travel.csv tells how far it is from origins[first[i]] to destinations[second[i]]."""
        known = {pair for pair, row in self._rows.items() if row.km is not None}
        out = np.zeros(len(first), dtype=np.bool_)
        for _, where in _pairs_between(known, origins, destinations, first, second):
            out[where] = True
        return out

    def count_known(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> int:
        """How many of all pairs have a distance in travel.csv."""
        here, there = _by_key(origins), _by_key(destinations)
        known = {pair for pair, row in self._rows.items() if row.km is not None}
        known |= {pair[::-1] for pair in known}
        return sum(len(here[one]) * len(there[other]) for one, other in known if one in here and other in there)

    def blocked_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Bools:
        """Whether there is no way through, for all pairs, shape (len(origins), len(destinations))."""
        out = self.model.blocked_matrix(origins, destinations)
        here, there = _by_key(origins), _by_key(destinations)
        for (origin, destination), row in self._rows.items():
            for one, other in ((origin, destination), (destination, origin)):
                if row.blocked and one in here and other in there:
                    out[np.ix_(here[one], there[other])] = True
        return out

    def _look_up(self, origin: Spot, destination: Spot) -> Leg:
        """The pair's own row, else the reverse row, else the model; each of km and minutes by itself."""
        rows: list[TravelRow] = []
        if origin.key is not None and destination.key is not None:
            both = (self._rows.get((origin.key, destination.key)), self._rows.get((destination.key, origin.key)))
            rows = [row for row in both if row is not None]
        km = next((row.km for row in rows if row.km is not None), None)
        return Leg(
            km10=self.model.km10(origin, destination) if km is None else tenths(km),
            minutes=next((row.minutes for row in rows if row.minutes is not None), self._model_minute(origin, destination)),
            blocked=any(row.blocked for row in rows) or self.model.blocked(origin, destination),
            estimated=km is None,
        )

    def _model_minute(self, origin: Spot, destination: Spot) -> Decimal | None:
        minutes = self.model.minutes(origin, destination)
        return None if minutes is None else Decimal(minutes)


def _pairs_between(
    known: set[tuple[str, str]], origins: Sequence[Spot], destinations: Sequence[Spot], first: Ints, second: Ints
) -> Iterator[tuple[tuple[int, int], Ints]]:
    """((origin, destination), where it stands in first and second) for each pair that is known in either direction."""
    here, there = _by_key(origins), _by_key(destinations)
    wanted = sorted(
        (i, j) for one, other in known | {pair[::-1] for pair in known} for i in here.get(one, ()) for j in there.get(other, ())
    )
    if not wanted or not len(first):
        return
    number = first * len(destinations) + second
    order = np.argsort(number, kind="stable")
    edges = np.array([i * len(destinations) + j for i, j in wanted], dtype=np.int64)
    low, high = (np.searchsorted(number, edges, side=side, sorter=order) for side in ("left", "right"))
    for k in np.flatnonzero(low < high).tolist():
        yield wanted[k], order[low[k] : high[k]]


def _by_key(spots: Sequence[Spot]) -> dict[str, list[int]]:
    """Positions of the spots with each key."""
    out: dict[str, list[int]] = defaultdict(list)
    for i, spot in enumerate(spots):
        if spot.key is not None:
            out[spot.key].append(i)
    return out


def tenths(km: Decimal) -> int:
    """Whole tenths, rounded half up, in integers alone: a Decimal context would round numbers of many digits twice."""
    numerator, denominator = km.as_integer_ratio()
    return (20 * numerator + denominator) // (2 * denominator)

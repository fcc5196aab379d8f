"""How far two spots are apart, and whether they are one place (MODEL.md, Distance).

Distances leave this module as whole tenths of a kilometre (`km10`), so that every sum above is exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from matcher.errors import InternalError, UsageError
from matcher.model import Spot, TravelRow

EARTH_RADIUS_KM = 6371.0088
SAME_PLACE_KM = 5.0

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


class TravelModel(Protocol):
    """Estimates the way between two spots that travel.csv does not know."""

    @property
    def name(self) -> str:
        """As in the policy."""

    def km10(self, origin: Spot, destination: Spot) -> int:
        """Road distance in whole tenths of a km, rounded half up."""


@dataclass(frozen=True, slots=True)
class GreatCircle:
    """The road distance expected for the great-circle distance (see `road_km`). The same in both directions."""

    name: str = "great_circle"

    def km10(self, origin: Spot, destination: Spot) -> int:
        """Road distance in whole tenths of a km, rounded half up."""
        return math.floor(10 * road_km(great_circle_km(origin, destination)) + 0.5)


def travel_model(name: str) -> TravelModel:
    """The travel model that a policy names. Raises UsageError for one that does not exist or is not in this build."""
    if name == "great_circle":
        return GreatCircle()
    if name in ("road", "osrm"):
        raise UsageError(f"the travel model {name!r} is not installed in this build; installed: 'great_circle'")
    raise UsageError(f"there is no travel model {name!r}; choices: 'great_circle', 'road', 'osrm' (installed: 'great_circle')")


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

    def _look_up(self, origin: Spot, destination: Spot) -> Leg:
        """The pair's own row, else the reverse row, else the model; each of km and minutes by itself."""
        rows: list[TravelRow] = []
        if origin.key is not None and destination.key is not None:
            both = (self._rows.get((origin.key, destination.key)), self._rows.get((destination.key, origin.key)))
            rows = [row for row in both if row is not None]
        km = next((row.km for row in rows if row.km is not None), None)
        return Leg(
            km10=self.model.km10(origin, destination) if km is None else tenths(km),
            minutes=next((row.minutes for row in rows if row.minutes is not None), None),
            blocked=any(row.blocked for row in rows),
            estimated=km is None,
        )


def tenths(km: Decimal) -> int:
    """Whole tenths, rounded half up, in integers alone: a Decimal context would round numbers of many digits twice."""
    numerator, denominator = km.as_integer_ratio()
    return (20 * numerator + denominator) // (2 * denominator)

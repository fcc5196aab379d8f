"""The ways of an instance as the checker measures them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from matcher.check.exact import Bools, Ints
from matcher.check.roads import OwnRoads
from matcher.errors import Fault, InputError, UsageError
from matcher.measured import Measured
from matcher.model import Instance, Spot, TravelRow
from matcher.places.gazetteer import gazetteer
from matcher.places.travel import GreatCircle, Leg, Travel, TravelModel
from matcher.policy import Policy


class OwnTravel(Travel):
    """Known distances, else a model's, and nothing that leads into a closed oblast."""

    def __init__(self, rows: Iterable[TravelRow], model: TravelModel, closed: Iterable[str] = ()) -> None:
        super().__init__(rows, model)
        self.closed = frozenset(closed)
        self._network = model if isinstance(model, OwnRoads) else OwnRoads() if self.closed else None

    def is_closed(self, destination: Spot) -> bool:
        """Whether it lies in a closed oblast."""
        return self._network is not None and self._network.oblast_of(destination) in self.closed

    def leg(self, origin: Spot, destination: Spot) -> Leg:
        """The way from origin to destination."""
        leg = super().leg(origin, destination)
        return replace(leg, blocked=True) if self.closed and self.is_closed(destination) else leg


class OwnMeasured:
    """Ways that a run has recorded, found by coordinates. It asks nobody."""

    name = "osrm"

    def __init__(self, measured: Measured) -> None:
        self.ways: dict[tuple[tuple[float, float], tuple[float, float]], tuple[int, int] | None] = {}
        for point, km10, minutes in zip(measured.points, measured.km10.tolist(), measured.minutes.tolist(), strict=True):
            for place, far, long in zip(measured.points, km10, minutes, strict=True):
                way = None if far < 0 else (far, long)
                if self.ways.setdefault((point, place), way) != way or self.ways.setdefault((place, point), way) != way:
                    raise InputError([Fault("distances.json", 0, "", "file_unreadable", "a way is not as long there as back")])
        self.estimate = GreatCircle()

    def _way(self, origin: Spot, destination: Spot) -> tuple[int, int] | None:
        return self.ways[(origin.lat, origin.lon), (destination.lat, destination.lon)]

    def km10(self, origin: Spot, destination: Spot) -> int:
        """Tenths of a km; the estimate where there is no way."""
        way = self._way(origin, destination)
        return self.estimate.km10(origin, destination) if way is None else way[0]

    def km10_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Ints:
        """`km10` of all pairs."""
        return np.array([[self.km10(a, b) for b in destinations] for a in origins], dtype=np.int64).reshape(len(origins), len(destinations))

    def minutes(self, origin: Spot, destination: Spot) -> int | None:
        """Whole minutes."""
        way = self._way(origin, destination)
        return None if way is None else way[1]

    def minutes_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Ints:
        """`minutes` of all pairs."""
        values = [[-1 if (way := self._way(a, b)) is None else way[1] for b in destinations] for a in origins]
        return np.array(values, dtype=np.int64).reshape(len(origins), len(destinations))

    def blocked(self, origin: Spot, destination: Spot) -> bool:
        """Whether there is no way."""
        return self._way(origin, destination) is None

    def blocked_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Bools:
        """`blocked` of all pairs."""
        values = [[self.blocked(a, b) for b in destinations] for a in origins]
        return np.array(values, dtype=np.bool_).reshape(len(origins), len(destinations))


def own_travel(instance: Instance, policy: Policy) -> OwnTravel:
    """The ways of an instance under a policy."""
    chosen = policy.travel
    if chosen.model == "great_circle":
        return OwnTravel(instance.travel, GreatCircle(), chosen.closed)
    if chosen.model == "osrm":
        if instance.measured is None:
            raise UsageError("the ways that the run has measured are not there")
        return OwnTravel(instance.travel, OwnMeasured(instance.measured), chosen.closed)
    own = {place.place_id: Spot(lat=place.lat, lon=place.lon, key=f"place:{place.place_id}") for place in instance.places}
    blocked = [tuple(own.get(text) or gazetteer().resolve(text) for text in pair) for pair in chosen.blocked]
    return OwnTravel(instance.travel, OwnRoads(chosen.closed, [(one, other) for one, other in blocked]), chosen.closed)

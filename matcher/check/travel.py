"""The ways of an instance as the checker measures them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from matcher.check.roads import OwnRoads
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


def own_travel(instance: Instance, policy: Policy) -> OwnTravel:
    """The ways of an instance under a policy."""
    chosen = policy.travel
    if chosen.model == "great_circle":
        return OwnTravel(instance.travel, GreatCircle(), chosen.closed)
    own = {place.place_id: Spot(lat=place.lat, lon=place.lon, key=f"place:{place.place_id}") for place in instance.places}
    blocked = [tuple(own.get(text) or gazetteer().resolve(text) for text in pair) for pair in chosen.blocked]
    return OwnTravel(instance.travel, OwnRoads(chosen.closed, [(one, other) for one, other in blocked]), chosen.closed)

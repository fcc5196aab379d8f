"""The travel model that a policy names, for the places of an instance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matcher.errors import Fault, InputError, UsageError
from matcher.model import Instance, Spot
from matcher.places.faults import PlaceError
from matcher.places.osrm import Osrm, measure, points_of
from matcher.places.road import Road
from matcher.places.roads import nearest_oblast, roads
from matcher.places.travel import Bools, GreatCircle, Ints, Travel, TravelModel
from matcher.policy import Policy


def travel_for(instance: Instance, policy: Policy) -> Travel:
    """Known distances of the instance, else those of the policy's model. Raises InputError (blocked roads between unknown places)."""
    model = _model(instance, policy)
    return Travel(instance.travel, Closing(model, frozenset(policy.travel.closed)) if policy.travel.closed else model)


def ready(instance: Instance, policy: Policy) -> Instance:
    """The instance with all that its policy's model needs: ways measured by the routing server, where it names one and they are not there
    yet. The only thing in this package that asks a network. Raises UsageError: no answer, or the model is not installed."""
    if policy.travel.model != "osrm":
        return instance
    if instance.measured is not None and instance.measured.positions(points_of(instance)) is not None:
        return instance
    return instance.model_copy(update={"measured": measure(instance, policy.travel)})


@dataclass(frozen=True)
class Closing:
    """A model under closed oblasts: no way leads into one. A spot is in the oblast that it says, else in that of the nearest road."""

    model: TravelModel
    closed: frozenset[str]

    @property
    def name(self) -> str:
        """As in the policy."""
        return self.model.name

    def km10(self, origin: Spot, destination: Spot) -> int:
        """As the model has it."""
        return self.model.km10(origin, destination)

    def km10_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Ints:
        """As the model has it."""
        return self.model.km10_matrix(origins, destinations)

    def minutes(self, origin: Spot, destination: Spot) -> int | None:
        """As the model has it."""
        return self.model.minutes(origin, destination)

    def minutes_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Ints | None:
        """As the model has it."""
        return self.model.minutes_matrix(origins, destinations)

    def blocked(self, origin: Spot, destination: Spot) -> bool:
        """The destination is in a closed oblast, or the model says so."""
        return self._inside(destination) or self.model.blocked(origin, destination)

    def blocked_matrix(self, origins: Sequence[Spot], destinations: Sequence[Spot]) -> Bools:
        """`blocked` of all pairs, shape (len(origins), len(destinations))."""
        inside = np.array([self._inside(spot) for spot in destinations], dtype=np.bool_)
        out: Bools = self.model.blocked_matrix(origins, destinations) | inside
        return out

    def _inside(self, spot: Spot) -> bool:
        return (spot.adm1 or nearest_oblast(spot)) in self.closed


def _model(instance: Instance, policy: Policy) -> TravelModel:
    if policy.travel.model == "road":
        return Road(policy.travel.closed, _cut(instance, policy))
    if policy.travel.model == "osrm":
        if instance.measured is None:
            raise UsageError("the travel model 'osrm' needs the ways that a run has measured; `solve` asks the server for them")
        return Osrm(instance.measured)
    return GreatCircle()


def _cut(instance: Instance, policy: Policy) -> frozenset[int]:
    """Sections that the policy's blocked roads take out, each as the network is with nothing else closed."""
    cut: set[int] = set()
    for one, other in policy.travel.blocked:
        cut |= roads().cut_between(place_of(instance, one), place_of(instance, other), (one, other))
    return frozenset(cut)


def place_of(instance: Instance, text: str) -> Spot:
    """A place that a policy names, as a cell of a file would: an id of places.csv, else of the gazetteer. Raises InputError."""
    from matcher.places.gazetteer import gazetteer  # only a policy that names places needs it

    for place in instance.places:
        if place.place_id == text:
            return Spot(lat=place.lat, lon=place.lon, key=f"place:{text}", name=place.name or text, adm1=place.adm1)
    try:
        return gazetteer().resolve(text)
    except PlaceError as error:
        raise InputError([Fault("policy.toml", 0, "travel.blocked", error.code, error.message)]) from None

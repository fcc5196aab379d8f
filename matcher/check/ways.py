"""Distances from one spot to many, the same to the last digit as asked one by one (`matcher.places.travel`).

The great-circle estimate is counted for whole arrays; wherever it comes so near to a half that another order of the same
floating-point steps could round it the other way, the pair is asked by itself. So is every pair that travel.csv knows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matcher.check.exact import Bools, Exact, Ints
from matcher.check.roads import Joints, OwnRoads
from matcher.check.travel import OwnTravel
from matcher.errors import InternalError
from matcher.model import Spot, TravelRow
from matcher.places.travel import EARTH_RADIUS_KM, SAME_PLACE_KM, GreatCircle, same_place

DOUBT = 1e-6  # of 1/10 km; the steps below are right to less than 1e-8
NEARLY_ANTIPODES = 0.99  # beyond that haversine the arc sine is not
FARTHEST_KM10 = 1 << 31
KEPT_ENTRIES = 100_000_000  # distances remembered, of 4 bytes each
Floats = NDArray[np.float64]


class Ways:
    """Distances between any spot and some `spots`, or among these. By index: the position in `spots`."""

    def __init__(self, travel: OwnTravel, rows: Sequence[TravelRow], spots: Sequence[Spot]) -> None:
        self.travel = travel
        self.spots = spots
        self.lat = np.array([spot.lat for spot in spots], dtype=np.float64)
        self.lon = np.array([spot.lon for spot in spots], dtype=np.float64)
        self.at_key: dict[str | None, list[int]] = defaultdict(list)
        for index, spot in enumerate(spots):
            self.at_key[spot.key].append(index)
        self.known: dict[str | None, set[str | None]] = defaultdict(set)
        for row in rows:
            self.known[row.origin.key].add(row.destination.key)
            self.known[row.destination.key].add(row.origin.key)
        self._rows: dict[tuple[float, float, str | None, bool], Exact] = {}
        self._same: dict[tuple[float, float, str | None], Bools] = {}
        self._among: NDArray[np.int32] | None = None

    def row(self, spot: Spot, *, back: bool = False) -> Exact:
        """km10 from the spot to every one of `spots`; back: from these to it."""
        name = (spot.lat, spot.lon, spot.key, back)
        if name not in self._rows:
            if len(self._rows) * len(self.spots) > KEPT_ENTRIES:
                self._rows.clear()
            self._rows[name] = self._row(spot, back)
        return self._rows[name]

    def blocked(self, spot: Spot) -> list[int]:
        """Indexes of the spots to which there is no way through."""
        known = [index for index in self._known_to(spot) if self.travel.leg(spot, self.spots[index]).blocked]
        return sorted({*known, *np.flatnonzero(self._closed).tolist(), *self._shut(spot)})

    @cached_property
    def _closed(self) -> Bools:
        """Which of the spots no way leads to from anywhere."""
        return np.array([self.travel.is_closed(spot) for spot in self.spots], dtype=np.bool_)

    @cached_property
    def _joints(self) -> Joints | None:
        model = self.travel.model
        return model.joints(self.spots) if isinstance(model, OwnRoads) else None

    def _shut(self, spot: Spot) -> list[int]:
        """Spots to which there is no way."""
        model = self.travel.model
        if isinstance(model, OwnRoads) and self._joints is not None:
            return np.flatnonzero(model.shut(spot, self._joints)).tolist()
        return [] if isinstance(model, GreatCircle) else [index for index, other in enumerate(self.spots) if model.blocked(spot, other)]

    def same_place(self, spot: Spot) -> Bools:
        """Which of the spots are the same settlement."""
        name = (spot.lat, spot.lon, spot.key)
        if name not in self._same:
            if len(self._same) * len(self.spots) > KEPT_ENTRIES:
                self._same.clear()
            self._same[name] = self._same_place(spot)
        return self._same[name]

    @cached_property
    def own(self) -> Ints:
        """km10 from each spot to itself: 0, unless travel.csv says otherwise."""
        values = np.zeros(len(self.spots), dtype=np.int64)
        for index, spot in enumerate(self.spots):
            if spot.key in self.known.get(spot.key, ()):
                values[index] = self.travel.km10(spot, spot)
        return values

    def among(self, ones: Ints, others: Ints) -> Exact:
        """km10 from spots to spots, by index. Shape (len(ones), len(others))."""
        if len(self.spots) ** 2 > KEPT_ENTRIES:
            return np.stack([self._row(self.spots[one], False)[others] for one in ones.tolist()])
        if self._among is None:
            self._among = np.stack([self._row(spot, False) for spot in self.spots])
        return self._among[np.ix_(ones, others)]

    def pairs(self, ones: Ints, others: Ints) -> Ints:
        """km10 from spots to spots, by index, pair by pair."""
        values = self.own[ones]
        apart = ones != others
        if apart.any():
            far, at = np.unique(ones[apart], return_inverse=True)
            values[apart] = self.among(far, np.arange(len(self.spots)))[at, others[apart]]
        return values

    def same_among(self, ones: Ints, others: Ints) -> Bools:
        """Which of these pairs are one settlement."""
        return np.stack([self.same_place(self.spots[one])[others] for one in ones.tolist()])

    def _row(self, spot: Spot, back: bool) -> Exact:
        def ask(index: int) -> int:
            ends = (self.spots[index], spot) if back else (spot, self.spots[index])
            return self.travel.km10(*ends)

        model = self.travel.model
        if isinstance(model, GreatCircle):
            values = self._estimate(spot, lambda i: model.km10(self.spots[i], spot) if back else model.km10(spot, self.spots[i]))
        elif isinstance(model, OwnRoads) and self._joints is not None:
            values = model.row(spot, self._joints)
        else:
            values = np.array([ask(index) for index in range(len(self.spots))], dtype=np.int64)
        for index in self._known_to(spot):
            values[index] = ask(index)
        if values.max(initial=0) >= FARTHEST_KM10:
            raise InternalError("a way that is longer than validation lets pass")
        return values.astype(np.int32)

    def _known_to(self, spot: Spot) -> list[int]:
        """Indexes of spots to which travel.csv has a row, in either direction."""
        if spot.key not in self.known or spot.key is None:
            return []
        return [index for key in self.known[spot.key] for index in self.at_key.get(key, ())]

    def _estimate(self, spot: Spot, ask: Callable[[int], int]) -> Ints:
        """What `GreatCircle` says, for all spots at once."""
        h = self._haversine(spot)
        great_circle = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(1.0, h)))
        tenths = 10 * (great_circle * (1.16 + 0.15 * np.exp(-great_circle / 300))) + 0.5
        values = np.floor(tenths).astype(np.int64)
        for index in np.flatnonzero((np.abs(tenths - np.rint(tenths)) < DOUBT) | (h > NEARLY_ANTIPODES)).tolist():
            values[index] = ask(index)
        return values

    def _haversine(self, spot: Spot) -> Floats:
        lat, other = np.radians(spot.lat), np.radians(self.lat)
        half_lon = np.radians(self.lon - spot.lon) / 2
        found: Floats = np.sin((other - lat) / 2) ** 2 + np.cos(lat) * np.cos(other) * np.sin(half_lon) ** 2
        return found

    def _same_place(self, spot: Spot) -> Bools:
        same = np.zeros(len(self.spots), dtype=bool)
        if spot.key is not None:
            same[self.at_key.get(spot.key, [])] = True
        doubtful = np.arange(len(self.spots)) if spot.key is None else np.array(self.at_key.get(None, []), dtype=np.int64)
        if len(doubtful):
            near = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(1.0, self._haversine(spot)[doubtful])))
            for index in doubtful[near < 2 * SAME_PLACE_KM].tolist():
                same[index] = same_place(spot, self.spots[index])
        return same

"""Distances counted for whole arrays are those that are counted one by one, to the last digit."""

from __future__ import annotations

import itertools
import random
from decimal import Decimal

import numpy as np

from matcher.check.travel import OwnTravel
from matcher.check.ways import Ways
from matcher.model import Spot, TravelRow
from matcher.places.travel import GreatCircle, same_place


def some_spots(rng: random.Random) -> list[Spot]:
    """All over the world: a few settlements of two spots, coordinates alone, neighbours around 5 km, antipodes."""
    spots = [Spot(lat=rng.uniform(-90, 90), lon=rng.uniform(-180, 180), key=f"k:{n // 2}" if n % 3 else None) for n in range(30)]
    near = [Spot(lat=s.lat * 0.999, lon=s.lon + rng.uniform(-0.1, 0.1), key=None) for s in spots[:12] if abs(s.lon) < 179]
    far = [Spot(lat=-s.lat, lon=s.lon - 180 if s.lon > 0 else s.lon + 180, key=s.key and s.key + "'") for s in spots[:6]]
    return [*spots, *near, *far, Spot(lat=49.0, lon=32.0, key="k:u"), Spot(lat=49.0, lon=32.0685, key=None), Spot(lat=49.0, lon=32.0687)]


def test_rows_pairs_and_places_are_those_asked_one_by_one() -> None:
    rng = random.Random(5)
    cases = same = 0
    for _ in range(12):
        spots = some_spots(rng)
        keyed = {spot.key: spot for spot in spots if spot.key}
        pairs = rng.sample([(a, b) for a in keyed for b in keyed], 40)
        rows = [
            TravelRow(
                origin=keyed[a], destination=keyed[b], km=rng.choice([None, Decimal("12.34"), Decimal(700)]), blocked=rng.random() < 0.3
            )
            for a, b in pairs
        ]
        travel = OwnTravel(rows, GreatCircle())
        ways = Ways(travel, rows, spots)
        indexes = np.arange(len(spots))
        for spot in spots:
            assert ways.row(spot).tolist() == [travel.km10(spot, other) for other in spots]
            assert ways.row(spot, back=True).tolist() == [travel.km10(other, spot) for other in spots]
            assert ways.same_place(spot).tolist() == [same_place(spot, other) for other in spots]
            assert sorted(ways.blocked(spot)) == [k for k, other in enumerate(spots) if travel.leg(spot, other).blocked]
            cases += len(spots)
            same += int(ways.same_place(spot).sum())
        ones, others = (np.array(x) for x in zip(*itertools.product(indexes.tolist(), repeat=2), strict=True))
        asked = [travel.km10(spots[a], spots[b]) for a, b in zip(ones.tolist(), others.tolist(), strict=True)]
        assert ways.pairs(ones, others).tolist() == asked
        assert ways.among(indexes, indexes).ravel().tolist() == asked
    assert cases > 20_000 and same > 12 * 51  # more than each spot with itself

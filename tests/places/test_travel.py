"""Distances: the formula at known values, which source goes first, and what one place is."""

from __future__ import annotations

import pickle
import random
from decimal import Decimal
from itertools import pairwise

import pytest

from matcher.errors import InputError, InternalError, UsageError
from matcher.model import Spot, TravelRow
from matcher.places.travel import GreatCircle, Travel, great_circle_km, road_km, same_place, same_places, tenths, travel_model

KYIV = Spot(lat=50.45466, lon=30.5238, key="katottg:UA80000000000093317", name="Kyiv")
LVIV = Spot(lat=49.83826, lon=24.02324, key="katottg:UA46060250010015970", name="Lviv")
NOWHERE = Spot(lat=50.0, lon=30.0)


def row(origin: Spot, destination: Spot, km: str | None = None, minutes: str | None = None, blocked: bool = False) -> TravelRow:
    """A row of travel.csv."""
    return TravelRow(
        origin=origin,
        destination=destination,
        km=None if km is None else Decimal(km),
        minutes=None if minutes is None else Decimal(minutes),
        blocked=blocked,
    )


def test_a_degree_of_latitude_and_half_the_globe() -> None:
    assert great_circle_km(Spot(lat=49, lon=30), Spot(lat=50, lon=30)) == pytest.approx(111.195, abs=0.001)
    assert great_circle_km(Spot(lat=0, lon=0), Spot(lat=0, lon=180)) == pytest.approx(20015.115, abs=0.01)
    assert great_circle_km(KYIV, KYIV) == 0
    assert great_circle_km(KYIV, LVIV) == great_circle_km(LVIV, KYIV) == pytest.approx(468, abs=2)


@pytest.mark.parametrize(("km", "detour"), [(20, 1.30), (100, 1.27), (200, 1.24), (300, 1.22), (400, 1.20), (800, 1.17), (1200, 1.16)])
def test_the_detour_shrinks_with_the_distance(km: float, detour: float) -> None:
    assert road_km(km) / km == pytest.approx(detour, abs=0.01)


def test_the_road_grows_with_the_distance() -> None:
    roads = [road_km(tenth / 10) for tenth in range(20_000)]
    assert roads[0] == 0
    assert all(nearer < farther for nearer, farther in pairwise(roads))


def test_the_model_gives_whole_tenths_rounded_half_up_both_ways() -> None:
    model = travel_model("great_circle")
    exact = road_km(great_circle_km(KYIV, LVIV))
    assert model.name == "great_circle"
    assert model.km10(KYIV, LVIV) == model.km10(LVIV, KYIV) == int(exact * 10 + 0.5)
    assert model.km10(KYIV, KYIV) == 0


@pytest.mark.parametrize("name", ["road", "osrm", "teleport", ""])
def test_a_model_that_is_not_there_is_an_error_that_lists_the_choices(name: str) -> None:
    with pytest.raises(UsageError, match="great_circle") as caught:
        travel_model(name)
    assert not name or repr(name) in str(caught.value)


def test_own_row_then_reverse_row_then_estimate() -> None:
    both = Travel([row(KYIV, LVIV, "540", "400"), row(LVIV, KYIV, "551.25")], GreatCircle())
    assert both.leg(KYIV, LVIV).km10 == 5400
    assert both.leg(LVIV, KYIV).km10 == both.km10(LVIV, KYIV) == 5513
    assert not both.leg(LVIV, KYIV).estimated
    assert both.leg(LVIV, KYIV).minutes == 400, "minutes come from the reverse row where the own row has none"
    reverse = Travel([row(LVIV, KYIV, "551.25")], GreatCircle())
    assert reverse.leg(KYIV, LVIV).km10 == 5513
    assert reverse.leg(KYIV, LVIV).minutes is None
    estimate = Travel([row(LVIV, KYIV, minutes="400")], GreatCircle()).leg(KYIV, LVIV)
    assert estimate.estimated
    assert estimate.km10 == GreatCircle().km10(KYIV, LVIV)
    assert estimate.minutes == 400


def test_zero_is_a_distance_and_not_an_unknown_one() -> None:
    leg = Travel([row(KYIV, LVIV, "0", "0")], GreatCircle()).leg(KYIV, LVIV)
    assert leg.km10 == 0 and leg.minutes == 0 and not leg.estimated


def test_a_way_blocked_in_one_direction_is_blocked_in_both() -> None:
    travel = Travel([row(KYIV, LVIV, blocked=True), row(LVIV, KYIV, "551")], GreatCircle())
    assert travel.leg(KYIV, LVIV).blocked and travel.leg(LVIV, KYIV).blocked
    assert not travel.leg(KYIV, NOWHERE).blocked


def test_spots_without_a_key_are_estimated() -> None:
    travel = Travel([row(KYIV, LVIV, "540")], GreatCircle())
    assert travel.leg(Spot(lat=KYIV.lat, lon=KYIV.lon), LVIV).estimated


def test_coordinates_of_a_keyed_spot_do_not_hide_its_row_and_are_not_mixed_up() -> None:
    travel = Travel([row(KYIV, LVIV, "540")], GreatCircle())
    suburb = KYIV.model_copy(update={"lat": 50.6})
    assert travel.km10(suburb, LVIV) == 5400
    assert travel.km10(KYIV, NOWHERE) != travel.km10(suburb, NOWHERE)


def test_rows_that_validation_lets_never_pass() -> None:
    with pytest.raises(InternalError, match="without keys"):
        Travel([row(KYIV, NOWHERE, "1")], GreatCircle())
    with pytest.raises(InternalError, match="two rows"):
        Travel([row(KYIV, LVIV, "1"), row(KYIV, LVIV, "2")], GreatCircle())


@pytest.mark.parametrize(
    ("km", "expected"),
    [
        ("0", 0),
        ("0.04", 0),
        ("0.05", 1),
        ("0.15", 2),
        ("0.25", 3),
        ("12.349", 123),
        ("0.0499999999999999999999999999999999", 0),
        ("540", 5400),
    ],
)
def test_decimals_are_rounded_half_up_exactly(km: str, expected: int) -> None:
    assert tenths(Decimal(km)) == expected


def test_travel_can_be_sent_to_another_process() -> None:
    travel = Travel([row(KYIV, LVIV, "540")], GreatCircle())
    copy = pickle.loads(pickle.dumps(travel))
    assert copy.leg(KYIV, LVIV) == travel.leg(KYIV, LVIV)


def test_one_place_is_one_key_else_five_kilometres() -> None:
    near = Spot(lat=KYIV.lat + 0.04, lon=KYIV.lon)
    far = Spot(lat=KYIV.lat + 0.05, lon=KYIV.lon)
    assert same_place(KYIV, near) and same_place(near, KYIV)
    assert not same_place(KYIV, far)
    assert same_place(KYIV, KYIV.model_copy(update={"lat": 51.0})), "coordinates measure distances, the key tells the settlement"
    assert not same_place(KYIV, KYIV.model_copy(update={"key": "place:P1"}))


def scattered(rng: random.Random, count: int) -> list[Spot]:
    """Settlements, points within 5 km or so of them with and without their key, and points on the other side of the earth."""
    towns = [Spot(lat=rng.uniform(44, 52), lon=rng.uniform(22, 40), key=f"town:{i}") for i in range(count)]
    near = [Spot(lat=t.lat + rng.uniform(-0.06, 0.06), lon=t.lon + rng.uniform(-0.06, 0.06), key=rng.choice((None, t.key))) for t in towns]
    far = [Spot(lat=-t.lat + rng.uniform(-1e-6, 1e-6), lon=t.lon - 180) for t in towns[: count // 4]]
    return [*towns, *near, *far, *towns[:3]]


def test_matrices_hold_what_the_pairs_say() -> None:
    """Known ways in one direction, in both, without km, blocked, from a town to itself; the very same whole numbers."""
    rng = random.Random(8)
    spots = scattered(rng, 60)
    towns = spots[:60]
    pairs = {(a.key, b.key): (a, b) for a, b in ((rng.choice(towns), rng.choice(towns)) for _ in range(400))}
    rows = [
        TravelRow(
            origin=a, destination=b, km=Decimal(rng.randint(0, 99999)) / 100 if rng.random() < 0.7 else None, blocked=rng.random() < 0.2
        )
        for a, b in pairs.values()
    ]
    travel = Travel(rows, GreatCircle())
    origins, destinations = spots[:90], spots[40:]
    km10, blocked = travel.km10_matrix(origins, destinations), travel.blocked_matrix(origins, destinations)
    same = same_places(origins, destinations)
    legs = [[travel.leg(a, b) for b in destinations] for a in origins]
    assert km10.tolist() == [[leg.km10 for leg in row] for row in legs]
    assert blocked.tolist() == [[leg.blocked for leg in row] for row in legs]
    assert same.tolist() == [[same_place(a, b) for b in destinations] for a in origins]
    assert blocked.any() and same.any() and any(not leg.estimated for row in legs for leg in row)
    assert travel.km10_matrix([], spots).shape == (0, len(spots)) and same_places(spots, []).shape == (len(spots), 0)


def test_a_matrix_rounds_like_a_pair_where_it_hardly_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever lies next to a boundary is asked of the function for one pair: with a wide margin that is everything."""
    spots = scattered(random.Random(9), 20)
    plain = GreatCircle().km10_matrix(spots, spots)
    monkeypatch.setattr("matcher.places.travel.TOO_NEAR", 1.0)
    asked = []
    monkeypatch.setattr(GreatCircle, "km10", lambda self, a, b: asked.append((a, b)) or -1)
    assert (GreatCircle().km10_matrix(spots, spots) == -1).all() and len(asked) == plain.size


def test_a_distance_beyond_all_counting_is_refused() -> None:
    """Reading lets none pass; an instance made by hand could hold one."""
    travel = Travel([row(KYIV, LVIV, "1e20")], GreatCircle())
    with pytest.raises(InputError, match="numbers_too_large"):
        travel.km10_matrix([KYIV], [LVIV])

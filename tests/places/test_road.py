"""Ways by road: plausible, a metric, the same as the checker counts by code of its own, and closed where the policy says so."""

from __future__ import annotations

import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from matcher import publish, read_policy, solve, verify
from matcher.check.roads import OwnRoads
from matcher.check.travel import own_travel
from matcher.check.ways import Ways
from matcher.errors import InputError
from matcher.model import Instance, Spot, TravelRow
from matcher.places.gazetteer import gazetteer
from matcher.places.models import travel_for
from matcher.places.oblasts import OBLASTS
from matcher.places.road import Road
from matcher.places.roads import roads
from matcher.places.settlements import read_settlements
from matcher.places.shortest import ShortestWays
from matcher.places.travel import great_circle_km
from matcher.policy import Policy, policy_from_plain
from tests.runs import DATE, INSTANCES, ROOT, instance_of

DATA = ROOT / "matcher" / "places" / "data"


@cache
def settlements() -> tuple[Spot, ...]:
    return tuple(Spot(lat=s.lat, lon=s.lon, key=s.key, name=s.en, adm1=s.adm1) for s in read_settlements())


def some(rng: random.Random, count: int) -> list[Spot]:
    """Settlements, and a few points that are none, near and far."""
    near = [Spot(lat=s.lat + rng.uniform(-0.02, 0.02), lon=s.lon + rng.uniform(-0.02, 0.02)) for s in rng.sample(settlements(), 6)]
    far = [Spot(lat=rng.uniform(-80, 80), lon=rng.uniform(-170, 170)) for _ in range(3)]
    return [*rng.sample(settlements(), count - 9), *near, *far]


def at(name: str) -> Spot:
    return gazetteer().resolve(name)


def cut(*pairs: tuple[str, str]) -> frozenset[int]:
    return frozenset().union(*(roads().cut_between(at(one), at(other), (one, other)) for one, other in pairs))


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [("Kyiv", "Lviv", 540), ("Kharkiv", "Lviv", 1010), ("Odesa", "Kyiv", 475), ("Izmail", "Odesa", 240)],
)
def test_ways_are_as_long_as_people_know_them(one: str, other: str, km: float) -> None:
    model = Road()
    assert model.km10(at(one), at(other)) / 10 == pytest.approx(km, rel=0.03)
    assert km / 85 < model.minutes(at(one), at(other)) / 60 < km / 60


def test_a_metric_above_the_great_circle_that_reaches_every_oblast() -> None:
    centres = [at(pcode) for pcode in OBLASTS]
    spots = [*centres, *some(random.Random(6), 120)]
    km10 = Road().km10_matrix(spots, spots)
    straight = np.array([[great_circle_km(a, b) for b in spots] for a in spots])
    assert (km10 == km10.T).all() and (km10.diagonal() == 0).all()
    assert (km10 >= 10 * straight).all()
    for via in range(len(spots)):
        detour = km10[:, via][:, None] + km10[via]
        assert (km10 <= np.maximum(1.01 * detour, detour + 1)).all(), spots[via].name  # a tenth may be lost by rounding
    within = km10[: len(centres), : len(centres)]
    assert len(centres) == 27 and within.max() < 20_000, "in km, no oblast's centre is 2,000 from another"


def test_a_thousand_places_take_seconds_and_nothing_is_searched_the_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    spots = random.Random(1).sample(settlements(), 1000)
    start = time.thread_time()
    first = Road().km10_matrix(spots, spots)
    assert time.thread_time() - start < 10, "of the processor: what else the machine does is not counted"
    searched: list[int] = []
    monkeypatch.setattr(ShortestWays, "_sweep", lambda _, sources: searched.extend(sources))
    again = Road().km10_matrix(spots, spots)
    assert (first == again).all() and len(first) == 1000 and not searched


CLOSURES = [
    ((), ()),
    (("UA14", "UA65", "UA23"), ()),
    (("UA18",), (("Kyiv", "Zhytomyr, Zhytomyr"), ("Odesa", "Kyiv"))),
]


@pytest.mark.parametrize(("closed", "blocked"), CLOSURES)
def test_the_checker_counts_the_same(closed: tuple[str, ...], blocked: tuple[tuple[str, str], ...]) -> None:
    rng = random.Random(len(closed))
    origins, destinations = some(rng, 40), some(rng, 25)
    destinations += origins[:3]
    ours = Road(closed, cut(*blocked))
    own = OwnRoads(closed, [(at(one), at(other)) for one, other in blocked])
    assert own.cut == ours.cut
    assert (ours.km10_matrix(origins, destinations) == own.km10_matrix(origins, destinations)).all()
    assert (ours.minutes_matrix(origins, destinations) == own.minutes_matrix(origins, destinations)).all()
    shut = ours.blocked_matrix(origins, destinations)
    assert (shut == own.blocked_matrix(origins, destinations)).all() and shut.any() == bool(closed)
    a, b = origins[0], destinations[1]
    assert (ours.km10(a, b), ours.minutes(a, b), ours.blocked(a, b)) == (own.km10(a, b), own.minutes(a, b), own.blocked(a, b))
    assert (ours.km10_matrix(destinations, origins) == ours.km10_matrix(origins, destinations).T).all()


def test_known_ways_and_closed_oblasts_go_before_roads_by_row_and_by_pair() -> None:
    spots = [at(name) for name in ("Kyiv", "Lviv", "Kherson", "Zhytomyr, Zhytomyr", "UA14", "Odesa")]
    spots += [Spot(lat=46.6, lon=32.6), Spot(lat=50.4, lon=30.5)]
    rows = [
        TravelRow(origin=spots[0], destination=spots[1], km=Decimal(600), minutes=Decimal("412.5")),
        TravelRow(origin=spots[3], destination=spots[5], blocked=True),
    ]
    instance = Instance(households=(), accommodations=(), travel=tuple(rows))
    cases = 0
    for model in ("road", "great_circle"):
        policy = policy_from_plain({"travel": {"model": model, "closed": ["UA65"]}}, own=False)
        ours, own = travel_for(instance, policy), own_travel(instance, policy)
        ways = Ways(own, rows, spots)
        km10, shut = ours.km10_matrix(spots, spots), ours.blocked_matrix(spots, spots)
        minutes, values = ours.minutes_of(spots, spots, *(np.array(x) for x in zip(*product(range(len(spots)), repeat=2), strict=True)))
        for i, j in product(range(len(spots)), repeat=2):
            assert own.leg(spots[i], spots[j]) == ours.leg(spots[i], spots[j])
            leg = own.leg(spots[i], spots[j])
            assert (leg.km10, leg.blocked) == (km10[i, j], shut[i, j])
            assert leg.minutes == values[minutes[i * len(spots) + j]]
            cases += leg.blocked
        for i, spot in enumerate(spots):
            assert ways.row(spot).tolist() == km10[i].tolist() and ways.blocked(spot) == np.flatnonzero(shut[i]).tolist()
        assert shut[:, 2].all() and shut[:, 6].all() and not shut[2, 0] and not shut[6, 0], "into Kherson oblast no, out of it yes"
        assert (np.count_nonzero(minutes) == len(minutes)) == (model == "road") and np.count_nonzero(minutes) >= 2
    assert cases >= 36


def test_a_closed_oblast_is_gone_around_but_may_be_left() -> None:
    free, closed = Road(), Road(["UA18"])
    kyiv, rivne, zhytomyr = at("Kyiv"), at("м. Рівне"), at("Zhytomyr, Zhytomyr")
    assert closed.km10(kyiv, rivne) > 1.2 * free.km10(kyiv, rivne) and not closed.blocked(kyiv, rivne)
    assert closed.km10(zhytomyr, rivne) == free.km10(zhytomyr, rivne) and not closed.blocked(zhytomyr, rivne)
    assert closed.blocked(rivne, zhytomyr) and closed.km10(rivne, zhytomyr) == free.km10(rivne, zhytomyr)
    assert not closed.blocked(zhytomyr, zhytomyr), "who is there needs no road"


def test_a_blocked_road_is_blocked_on_both_carriageways() -> None:
    free, blocked = Road(), Road(cut=cut(("Kyiv", "Zhytomyr, Zhytomyr")))
    pair = at("Kyiv"), at("Zhytomyr, Zhytomyr")
    assert blocked.km10(*pair) >= 1.1 * free.km10(*pair) and not blocked.blocked(*pair)
    assert blocked.km10(at("Kyiv"), at("Chernihiv")) == free.km10(at("Kyiv"), at("Chernihiv"))


@pytest.mark.parametrize(
    ("pair", "code"),
    [(("Kyiv", "Kyiv"), "policy_value"), (("Kyiv", "Nowhereville"), "unknown_place"), (("Kyiv", "Ivanivka"), "ambiguous_place")],
)
def test_a_road_that_cannot_be_told_is_a_fault_of_the_policy(pair: tuple[str, str], code: str) -> None:
    policy = policy_from_plain({"travel": {"model": "road", "blocked": [list(pair)]}}, own=False)
    with pytest.raises(InputError) as caught:
        travel_for(Instance(households=(), accommodations=()), policy)
    assert [(f.file, f.column, f.code) for f in caught.value.faults] == [("policy.toml", "travel.blocked", code)]


@pytest.mark.parametrize(
    "travel",
    [{"closed": ["Kherson"]}, {"blocked": [["Kyiv", "Lviv"]]}, {"model": "road", "blocked": [["Kyiv"]]}, {"osrm_url": "ftp://x"},
     {"model": "osrm", "osrm_url": "http://user:secret@10.0.0.1:5000"}],
)  # fmt: skip
def test_what_a_policy_cannot_mean_is_a_fault(travel: dict[str, object]) -> None:
    with pytest.raises(InputError, match="travel"):
        policy_from_plain({"travel": travel}, own=False)


def test_shortest_ways_are_found_by_several_threads_at_once() -> None:
    ways, rng = ShortestWays(roads()), random.Random(2)
    asked = [np.array(rng.sample(range(ways.points), 30)) for _ in range(12)]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(ways.rows, asked))
    for sources, rows in zip(asked, found, strict=True):
        assert (rows[:, sources] == rows[:, sources].T).all() and (rows[np.arange(30), sources] == 0).all()
        assert (rows == ShortestWays(roads()).rows(sources)).all() if sources is asked[0] else True


def test_a_run_by_road_has_minutes_and_verifies(tmp_path: Path) -> None:
    policy = policy_from_plain({"travel": {"model": "road", "closed": ["UA65"], "blocked": [["Dnipro", "м. Запоріжжя"]]}}, own=False)
    folder = INSTANCES / "chasiv-yar"
    result = solve(instance_of(folder), policy, date=DATE, seed=1)
    known = {(row.origin.key, row.destination.key) for row in instance_of(folder).travel if row.minutes is not None}
    assert len(result.placements) > 40 and len(known) < 40
    assert all(row.minutes is not None and row.minutes >= 0 for row in result.placements)
    publish(result, tmp_path / "out")
    verdict = verify(folder, tmp_path / "out")
    assert verdict.violations == () and verdict.bound is not None
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["travel"] == {"model": "road", "data_sha256": roads().sha256}
    summary["travel"]["data_sha256"] = "0" * 64
    (tmp_path / "out" / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    assert any(line.startswith("[travel]") for line in verify(folder, tmp_path / "out").violations)
    plain = solve(instance_of(folder), Policy(), date=DATE, seed=1)
    assert plain.cost != result.cost


def test_the_data_is_small_and_names_its_source(tmp_path: Path) -> None:
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 1_000_000
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    assert "roads.tsv.xz" in readme and "© OpenStreetMap contributors" in readme and "ODbL" in readme
    (tmp_path / "policy.toml").write_text('[travel]\nmodel = "road"\nclosed = ["UA14"]\n', encoding="utf-8")
    assert read_policy(tmp_path / "policy.toml").travel.closed == ("UA14",)


def test_every_part_of_the_program_measures_by_the_policy_s_own_model() -> None:
    asked = [path for path in (ROOT / "matcher").rglob("*.py") if "travel_model(" in path.read_text(encoding="utf-8")]
    assert [path.name for path in asked] == ["travel.py"], (
        "a model by its name alone knows no closures, and is not there for `road` and `osrm`"
    )

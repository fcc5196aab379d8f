"""The travel model `osrm`: the real engine where it is installed, else what it has answered; and servers that misbehave."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from matcher import publish, read_instance, solve, verify
from matcher.errors import InputError, UsageError
from matcher.model import Accommodation, Household, Instance, Spot
from matcher.places import direct
from matcher.places.models import ready, travel_for
from matcher.places.osrm import points_of
from matcher.places.road import Road
from matcher.places.travel import great_circle_km
from matcher.policy import Policy, policy_from_plain
from tests.places.routing import RECORDED, Playing, engine, from_record, routed
from tests.runs import DATE, INSTANCES, matcher

CHASIV_YAR = INSTANCES / "chasiv-yar"


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own for every test, proxies that lead nowhere, and no pauses."""
    monkeypatch.setenv("MATCHER_CACHE", str(tmp_path / "cache"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setattr(direct, "PAUSE_S", 0.0)


def osrm(url: str, **more: object) -> Policy:
    return policy_from_plain({"travel": {"model": "osrm", "osrm_url": url, **more}}, own=False)


def few(count: int = 3) -> Instance:
    """Households in a row on one meridian, and as many offers."""
    spots = [Spot(lat=49 + k / 10, lon=30.0) for k in range(count)]
    return Instance(
        households=tuple(Household(household_id=f"H{k}", persons=1, spot=spot) for k, spot in enumerate(spots)),
        accommodations=tuple(Accommodation(accommodation_id=f"A{k}", capacity=1, spot=spot) for k, spot in enumerate(spots)),
    )


def plain_answer(path: str, change: dict[str, object] | None = None) -> tuple[int, bytes]:
    """Every way is 1,000 m and 60 s longer than the crow flies at 60 km/h, on the spot."""
    points = [tuple(map(float, point.split(","))) for point in path.split("?", maxsplit=1)[0].rsplit("/", 1)[1].split(";")]
    query = dict(part.split("=") for part in path.split("?")[1].split("&"))
    ends = [[points[int(i)] for i in query[name].split(";")] for name in ("sources", "destinations")]
    metres = [[1000 + 1000 * great_circle_km(Spot(lat=a[1], lon=a[0]), Spot(lat=b[1], lon=b[0])) for b in ends[1]] for a in ends[0]]
    body = {
        "code": "Ok", "distances": metres, "durations": [[m * 0.06 for m in row] for row in metres],
        "sources": [{"location": p} for p in ends[0]], "destinations": [{"location": p} for p in ends[1]],
    }  # fmt: skip
    return 200, json.dumps({**body, **(change or {})}).encode()


def test_the_real_engine_agrees_with_the_built_in_roads(tmp_path: Path) -> None:
    if engine() is None:
        pytest.skip(
            "no osrm-routed here (pip install osrm-bindings needs Python 3.12; MATCHER_OSRM names its folder); recorded answers are tested"
        )
    instance = read_instance(CHASIV_YAR)
    with routed(tmp_path) as url:
        policy = osrm(url)
        instance = ready(instance, policy)
        travel, road = travel_for(instance, policy), Road()
    starts, ends = ([row.spot for row in rows] for rows in (instance.households, instance.accommodations))
    theirs, ours = travel.model.km10_matrix(starts, ends), road.km10_matrix(starts, ends)
    far = ours > 500
    assert far.sum() > 500
    assert abs(theirs[far] / ours[far] - 1).mean() < 0.1, "the same roads, chords for curves, other joining points"
    known = json.loads(RECORDED.read_text(encoding="utf-8"))
    assert known["engine"].startswith("osrm-routed")


def test_a_run_with_recorded_answers_is_verified_without_the_server(tmp_path: Path) -> None:
    with Playing(from_record()) as server:
        result = solve(read_instance(CHASIV_YAR), osrm(server.url), date=DATE, seed=1)
        asked = len(server.asked)
        assert asked == 1 and all(path.startswith("/table/v1/driving/") for path in server.asked)
        again = solve(read_instance(CHASIV_YAR), osrm(server.url), date=DATE, seed=1)
        assert len(server.asked) == asked, "what is known is not asked again"
    assert again.cost == result.cost and len(result.placements) > 40
    assert all(row.minutes is not None for row in result.placements)
    out = publish(result, tmp_path / "out")
    verdict = verify(CHASIV_YAR, out)
    assert verdict.violations == () and verdict.bound is not None
    told = json.loads(matcher("explain", CHASIV_YAR, out, "H017", "--json").stdout)
    assert told["placed"] is True
    text = (out / "distances.json").read_text(encoding="utf-8")
    assert not any(row.household_id in text for row in result.placements)
    (out / "distances.json").write_text(text.replace('"points_sha256": "', '"points_sha256": "0'), encoding="utf-8")
    with pytest.raises(InputError, match=r"distances\.json"):
        verify(CHASIV_YAR, out)
    (out / "distances.json").unlink()
    with pytest.raises(InputError, match=r"distances\.json"):
        verify(CHASIV_YAR, out)


def test_recorded_ways_that_were_changed_are_found(tmp_path: Path) -> None:
    with Playing(from_record()) as server:
        result = solve(read_instance(CHASIV_YAR), osrm(server.url), date=DATE, seed=1)
    out = publish(result, tmp_path / "out")
    data = json.loads((out / "distances.json").read_text(encoding="utf-8"))
    measured = result.instance.measured if result.instance else None
    assert measured is not None
    homes = {h.household_id: (h.spot.lat, h.spot.lon) for h in read_instance(CHASIV_YAR).households}
    offers = {a.accommodation_id: (a.spot.lat, a.spot.lon) for a in read_instance(CHASIV_YAR).accommodations}
    used = [(measured.row[homes[r.household_id]], measured.row[offers[r.accommodation_id]], r.km10) for r in result.placements]
    i, j = next((i, j) for i, j, km10 in used if data["km10"][i][j] == km10 > 0)
    shorter = measured.km10.copy()
    shorter[i, j] -= 1
    shorter[j, i] -= 1
    forged = type(measured)(measured.points, shorter, measured.minutes, measured.server)
    (out / "distances.json").write_text(forged.text(), encoding="utf-8")
    assert any("[travel]" in line for line in verify(CHASIV_YAR, out).violations)


def test_large_tables_go_in_batches_and_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matcher.places.osrm.BATCH", 4)
    instance = few(10)
    with Playing(plain_answer) as server:
        measured = ready(instance, osrm(server.url)).measured
        assert measured is not None and len(server.asked) == 9
    straight = np.array([[great_circle_km(Spot(lat=a, lon=b), Spot(lat=c, lon=d)) for c, d in measured.points] for a, b in measured.points])
    wanted = np.where(straight > 0, np.floor(10 * (1 + straight) + 0.5), 0)
    assert (measured.km10 == wanted).all() and (measured.km10 == measured.km10.T).all()
    assert points_of(instance) == measured.points


def test_too_many_places_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matcher.places.osrm.MOST_POINTS", 2)
    with pytest.raises(UsageError, match="serves 2 places, and here are 3"):
        ready(few(), osrm("http://127.0.0.1:9"))


def test_where_there_is_no_way_nobody_is_sent() -> None:
    def island(path: str) -> tuple[int, bytes]:
        status, body = plain_answer(path)
        data = json.loads(body)
        data["distances"][0] = [None] * len(data["distances"][0])
        return status, json.dumps(data).encode()

    with Playing(island) as server:
        policy = osrm(server.url)
        instance = ready(few(), policy)
        result = solve(instance, policy, date=DATE)
    travel = travel_for(instance, policy)
    first, last = instance.households[0].spot, instance.accommodations[2].spot
    assert travel.leg(first, last).blocked and travel.leg(first, last).minutes is None
    assert travel.km10(first, last) > 10 * great_circle_km(first, last), "the estimate, for ties"
    assert {(row.household_id, row.accommodation_id) for row in result.placements} >= {("H0", "A0")}


def test_a_server_that_is_busy_is_asked_again() -> None:
    turns = iter([503, 429, 200])

    def busy(path: str) -> tuple[int, bytes]:
        status = next(turns)
        return plain_answer(path) if status == 200 else (status, b"later")

    with Playing(busy) as server:
        assert ready(few(), osrm(server.url)).measured is not None and len(server.asked) == 3


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda path: (503, b""), "status 503, 4 times"),
        (lambda path: (200, b"<html>"), "no JSON"),
        (lambda path: (400, b'{"code": "TooBig", "message": "Too many table coordinates"}'), "TooBig"),
        (lambda path: (302, b"http://127.0.0.1:1/elsewhere"), "status 302"),
        (lambda path: plain_answer(path, {"code": "NoTable"}), "NoTable"),
        (lambda path: plain_answer(path, {"distances": [[1.0]]}), "another shape"),
        (lambda path: plain_answer(path, {"distances": [[-1.0] * 3] * 3}), "not a distance"),
        (lambda path: plain_answer(path, {"durations": [["x"] * 3] * 3}), "not a distance"),
        (lambda path: plain_answer(path, {"sources": []}), "places"),
        (lambda path: (200, b"{}"), "table service"),
    ],
)  # fmt: skip
def test_a_bad_answer_ends_the_run_and_names_the_server(answer: object, said: str) -> None:
    with Playing(answer) as server:  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="routing server") as caught:
            ready(few(), osrm(server.url))
        assert said in str(caught.value) and "127.0.0.1" in str(caught.value)


def test_an_answer_that_breaks_off_is_asked_for_again_and_told() -> None:
    with Playing(plain_answer, more=99) as server:
        with pytest.raises(UsageError, match=r"broke off its answer .*, 4 times"):
            ready(few(), osrm(server.url))
        assert len(server.asked) == 4


def test_a_server_that_is_not_there_is_exit_code_2(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    shutil.copytree(CHASIV_YAR, folder)
    (folder / "policy.toml").write_text('[travel]\nmodel = "osrm"\nosrm_url = "http://127.0.0.1:9"\n', encoding="utf-8")
    run = matcher("solve", folder, "--out", tmp_path / "out")
    assert run.returncode == 2 and "routing server 127.0.0.1:9 cannot be reached" in run.stderr
    assert not (tmp_path / "out").exists()


def test_kept_answers_are_private_checked_and_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Playing(plain_answer) as server:
        policy = osrm(server.url)
        first = ready(few(), policy).measured
        kept = sorted((tmp_path / "cache" / "osrm").iterdir())
        assert len(kept) == 1 and len(server.asked) == 1
        assert kept[0].stat().st_mode & 0o777 == 0o600 and kept[0].parent.stat().st_mode & 0o777 == 0o700
        assert not {"49.1", "49.2", "30.0"} & set(kept[0].read_text(encoding="utf-8").replace(",", " ").split()), "no coordinates"
        kept[0].write_text(kept[0].read_text(encoding="utf-8").replace("1", "2"), encoding="utf-8")
        second = ready(few(), policy).measured
        assert len(server.asked) == 2 and first is not None and second is not None and first.text() == second.text()
        monkeypatch.setenv("MATCHER_CACHE", "/proc/nowhere")
        assert ready(few(), policy).measured is not None

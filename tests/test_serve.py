"""The service: runs as jobs, limits, the token, and that nothing of one caller reaches another."""

from __future__ import annotations

import json
import re
import resource
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from matcher.publish import files
from matcher.solver import solve
from tests.runs import INSTANCES, ROOT, command, environ, generated, instance_of, rows_of

testing = pytest.importorskip("fastapi.testclient")
httpx = pytest.importorskip("httpx")
hypothesis = pytest.importorskip("hypothesis")
schemathesis = pytest.importorskip("schemathesis")
from matcher.serve.app import create_app  # noqa: E402
from matcher.serve.bodies import Task  # noqa: E402
from matcher.serve.jobs import Full, Jobs  # noqa: E402
from matcher.serve.settings import Settings  # noqa: E402

TOKEN = "a-token-for-the-tests"
LET_IN = {"Authorization": f"Bearer {TOKEN}"}


def settings(**changes: Any) -> Settings:
    return Settings.model_validate({"token": TOKEN, "jobs": 2, **changes})


@pytest.fixture
def client() -> Iterator[Any]:
    with testing.TestClient(create_app(settings()), headers=LET_IN) as found:
        yield found


def task(folder: Path, **options: Any) -> dict[str, Any]:
    """The body of a request for the instance in a folder."""
    tables = {path.stem: rows_of(path) for path in sorted(folder.glob("*.csv"))}
    return {"instance": tables, "options": {"date": "2026-11-22", **options}}


def small(letter: str, persons: int = 2) -> dict[str, Any]:
    """One household and one offer of its own."""
    household = {"household_id": f"H{letter}", "persons": persons, "place": "Dnipro"}
    offer = {"accommodation_id": f"A{letter}", "capacity": persons, "place": "Lviv"}
    return {"instance": {"households": [household], "accommodations": [offer]}, "options": {"date": "2026-11-22"}}


def ended(client: Any, run_id: str, seconds: float = 120) -> dict[str, Any]:
    """The run, once it has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        run: dict[str, Any] = client.get(f"/runs/{run_id}").json()
        if run["state"] in ("done", "failed", "cancelled"):
            return run
        time.sleep(0.05)
    raise TimeoutError(run_id)


def start(client: Any, body: dict[str, Any]) -> str:
    answer = client.post("/solve", json=body)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/runs/{answer.json()['id']}"
    return str(answer.json()["id"])


def test_a_run_is_what_the_library_gives(client: Any) -> None:
    folder = generated(20, 1)
    run_id = start(client, task(folder, seed=3))
    run = ended(client, run_id)
    assert run["state"] == "done" and run["progress"]["seconds"] > 0 and run["progress"]["cost"] >= run["progress"]["bound"]
    wanted = files(solve(instance_of(folder), date="2026-11-22", seed=3, isolate=True, time_limit_s=60, deadline_s=70, memory_mib=4096))
    given = {name: client.get(f"/runs/{run_id}/files/{name}").text for name in run["files"]}
    assert {"placements.csv", "unplaced.csv", "summary.json", "certificate.json"} <= given.keys()
    assert given["placements.csv"] == wanted["placements.csv"] and given["unplaced.csv"] == wanted["unplaced.csv"]
    assert run["summary"]["cost"] == int(re.findall(r'"cost": (\d+)', wanted["summary.json"])[0])
    one = rows_of(folder / "households.csv")[0]["household_id"]
    told = client.get("/explain", params={"run": run_id, "household_id": one})
    assert told.status_code == 200 and told.json()["household_id"] == one
    assert client.get("/explain", params={"run": run_id, "household_id": "nobody"}).status_code == 404
    assert [r["id"] for r in client.get("/runs").json()["runs"]] == [run_id]
    assert client.delete(f"/runs/{run_id}").status_code == 204 and client.get(f"/runs/{run_id}").status_code == 404


def test_protected_destinations_stay_in_the_service_unless_it_was_told_otherwise() -> None:
    body = small("1")
    body["instance"]["households"][0]["protected"] = True
    for handed_out in (False, True):
        with testing.TestClient(create_app(settings(protected=handed_out)), headers=LET_IN) as client:
            run = ended(client, start(client, body))
            pages = "".join(client.get(f"/runs/{run['id']}/files/{name}").text for name in run["files"] if "protected" not in name)
            told = client.get("/explain", params={"run": run["id"], "household_id": "H1"}).text
            assert run["summary"]["households"]["placed"] == 1
            assert ("placements_protected.csv" in run["files"]) == handed_out
            assert "H1" not in re.sub(r'"certificate".*', "", pages).split("report")[0] or "A1" not in told
            assert "A1" not in told and '"protected":true' in told.replace(" ", "")


def test_faults_come_all_at_once_with_their_places(client: Any) -> None:
    body = task(INSTANCES / "hard-night-faulty")
    run = ended(client, start(client, body))
    assert run["state"] == "failed" and run["error"]["exit_code"] == 3 and len(run["error"]["faults"]) > 3
    assert {"file", "line", "column", "code", "message"} == set(run["error"]["faults"][0])
    body["options"]["quarantine"] = True
    assert ended(client, start(client, body))["state"] == "done"
    wrong = small("1")
    wrong["policy"] = {"travel": {"model": "osrm", "osrm_url": "http://127.0.0.1:1"}}
    assert "routing server" in ended(client, start(client, wrong))["error"]["faults"][0]["message"]
    wrong["policy"] = {"travl": {}}
    assert ended(client, start(client, wrong))["error"]["faults"][0]["code"] == "policy_key"


def test_a_run_can_be_cancelled_waiting_and_searching() -> None:
    with testing.TestClient(create_app(settings(jobs=1)), headers=LET_IN) as client:
        first = start(client, task(INSTANCES / "pokrovsk-month", time_limit_s=300))
        second = start(client, small("2"))
        assert client.post(f"/runs/{second}/cancel").json()["state"] == "cancelled"
        while "cost" not in client.get(f"/runs/{first}").json()["progress"]:
            time.sleep(0.1)
        client.post(f"/runs/{first}/cancel")
        run = ended(client, first, 60)
        assert run["state"] == "cancelled" and run["summary"]["status"] == "feasible" and "placements.csv" in run["files"]
        assert ended(client, start(client, small("3")))["state"] == "done", "the service goes on"


def test_nobody_comes_in_without_the_token() -> None:
    with testing.TestClient(create_app(settings())) as client:
        paths = [
            ("post", "/solve"),
            ("get", "/runs"),
            ("get", "/runs/x"),
            ("get", "/schema"),
            ("get", "/metrics"),
            ("get", "/explain"),
            ("get", "/none"),
        ]
        for method, path in paths:
            for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": TOKEN}):
                assert getattr(client, method)(path, headers=header).status_code == 401, path
        assert client.get("/health").json()["status"] == "ok" and client.get("/openapi.json").status_code == 200
    with pytest.raises(ValueError, match="16 characters"):
        settings(token="short")


def test_limits_hold() -> None:
    with testing.TestClient(create_app(settings(jobs=1, queue=2, keep=3, most_mib=0.01, most_households=1)), headers=LET_IN) as client:
        big = small("1")
        big["instance"]["households"][0]["origin"] = "x" * 20_000
        assert client.post("/solve", json=big).status_code == 413
        assert client.post("/solve", content=iter([b"{" + b" " * 9_000, b" " * 9_000])).status_code == 413, "without a stated length"
        assert client.post("/solve", content=b"{").status_code == 422
        assert client.post("/solve", json={"instance": {"households": []}}).status_code == 422
        two = small("1")
        two["instance"]["households"].append({"household_id": "H2", "persons": 1, "place": "Kyiv"})
        assert ended(client, start(client, two))["error"]["faults"][0]["code"] == "too_many_rows"
        answers = [client.post("/solve", json=small(str(k))).status_code for k in range(12)]
        assert 429 in answers and set(answers) == {202, 429}
        while any(run["state"] in ("queued", "running") for run in client.get("/runs").json()["runs"]):
            time.sleep(0.1)
        assert len(client.get("/runs").json()["runs"]) == 3, "only so many are kept"


def test_so_many_wait_and_no_more_and_who_is_stopped_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Jobs, "_solve", lambda _self, job, _task: job.stop.wait(60))  # a search that lasts until it is stopped
    jobs, task = Jobs(settings(jobs=1, queue=1)), Task.model_validate(small("1"))
    running = jobs.add(task)
    while running.state == "queued":
        time.sleep(0.01)
    waiting = jobs.add(task)
    with pytest.raises(Full):
        jobs.add(task)
    assert waiting.task is task
    jobs.drop(waiting)
    assert (waiting.state, waiting.task) == ("cancelled", None)
    jobs.add(task)
    jobs.close()
    assert running.task is None


def test_what_is_refused_quotes_nothing(client: Any) -> None:
    body = small("1")
    body["options"]["seed"] = "Olena Kovalenko"
    answer = client.post("/solve", json=body)
    assert answer.status_code == 422 and "options.seed" in answer.text and "Olena" not in answer.text
    body = small("1")
    body["instance"]["households"][0] |= {"persons": "Olena Kovalenko", "phone": "+380501234567"}
    run = ended(client, start(client, body))
    assert "380501234567" not in str(run)


def nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("where", "key", "value", "why"),
    [
        ("row", "\ud800", 1, "half a surrogate pair"),
        ("policy", "\ud800", 1, "half a surrogate pair"),
        ("row", "needs", nested(600), "nested"),
        ("policy", "travel", nested(600), "nested"),
        ("row", "needs", None, "parsing the body"),
    ],
    ids=["column", "key", "cell", "section", "deeper"],
)
def test_what_is_no_text_or_nested_too_deep_is_refused(client: Any, where: str, key: str, value: Any, why: str) -> None:
    body = small("1")
    row = body["instance"]["households"][0] if where == "row" else body.setdefault("policy", {})
    row[key] = "DEEP"
    text = json.dumps(body).replace('"DEEP"', "[" * 90_001 + "]" * 90_001 if why.startswith("parsing") else json.dumps(value))
    answer = client.post("/solve", content=text, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500 and why in answer.json()["detail"] and client.get("/runs").json() == {"runs": []}


def test_a_cell_that_no_cell_can_be_is_a_fault_of_its_row(client: Any) -> None:
    body = small("1")
    body["instance"]["households"][0] |= {
        "household_id": {"id": "H1"},
        "needs": [["lift"]],
        "origin": ["Lviv"],
        "wants": ["lift", "school"],
    }
    body["instance"]["households"].append({"household_id": "H\ud800", "persons": 1, "place": "Lviv"})
    answer = client.post("/solve", content=json.dumps(body), headers={"Content-Type": "application/json"})
    run = ended(client, answer.json()["id"])
    told = {(fault["file"], fault["line"], fault["column"], fault["code"]) for fault in run["error"]["faults"]}
    assert told == {("households", 1, column, "not_a_value") for column in ("household_id", "needs", "origin")} | {
        ("households", 2, "", "bad_character")
    }


def test_many_at_once_are_not_mixed_up() -> None:
    _many_at_once(8, 1, settings(queue=100))


@pytest.mark.slow
def test_a_hundred_at_once_are_not_mixed_up_and_memory_stays() -> None:
    first, second = _many_at_once(100, 2, settings(queue=200, keep=100))
    assert second - first < 40


def _many_at_once(count: int, rounds: int, allowed: Settings) -> list[float]:
    """Memory in MiB after each round of so many requests at once; the service keeps as many runs as one round has."""
    memory = []
    with testing.TestClient(create_app(allowed), headers=LET_IN) as client:

        def one(k: int) -> None:
            run = ended(client, start(client, small(f"-{k}-", persons=1 + k % 7)), 1500)
            text = client.get(f"/runs/{run['id']}/files/placements.csv").text
            assert run["state"] == "done" and run["summary"]["persons"]["placed"] == 1 + k % 7
            assert re.findall(r"[HA]-\d+-", text) == [f"H-{k}-", f"A-{k}-"]

        for _ in range(rounds):
            with ThreadPoolExecutor(count) as pool:
                list(pool.map(one, range(count)))
            memory.append(_memory_mib())
        done = re.findall(r'matcher_runs_total\{state="done"\} (\d+)', client.get("/metrics").text)
        assert done == [str(count * rounds)]
    return memory


def _memory_mib() -> float:
    """Resident memory now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / (1 << 20)


def provoke(cases: int) -> int:
    """Requests made up from the service's own description of itself, so many for each operation. Returns how many there were."""
    app = create_app(settings(jobs=1, queue=3, keep=20, most_seconds=1, most_effort=0.01))
    checks, counted = [schemathesis.checks.not_a_server_error], 0
    patient = hypothesis.settings(
        max_examples=cases, deadline=None, derandomize=True, database=None, suppress_health_check=list(hypothesis.HealthCheck)
    )
    with testing.TestClient(app):
        described = schemathesis.openapi.from_asgi("/openapi.json", app)
        for found in described.get_all_operations():

            @patient
            @hypothesis.given(case=found.ok().as_strategy())
            def ask(case: Any) -> None:
                nonlocal counted
                counted += 1
                case.call_and_validate(headers=LET_IN, checks=checks)

            ask()
    return counted


def test_what_the_service_says_of_itself_leads_to_no_server_error() -> None:
    assert provoke(4) >= 40


@pytest.mark.slow
def test_a_thousand_cases_lead_to_no_server_error() -> None:
    assert provoke(150) >= 1000


def test_the_page_and_its_assets_come_from_here(client: Any) -> None:
    page = client.get("/docs").text
    assert not re.findall(r"https?://", page)
    for path in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert client.get(path).status_code == 200, path
    assert client.get("/static/../app.py").status_code == 404 and client.get("/static/index.html").status_code == 404
    assert client.get("/openapi.json").json()["openapi"].startswith("3.0")
    assert client.get("/schema").json().keys() >= {"households", "policy", "summary"}
    assert "travel" in client.get("/schema/policy").json()["properties"] and client.get("/schema/nothing").status_code == 404


def test_the_docs_tell_of_every_request_and_their_example_runs(client: Any) -> None:
    text = (ROOT / "docs" / "serve.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(GET|POST|DELETE) (/[^?`]*)", text))
    described = client.get("/openapi.json").json()["paths"]
    there = {(verb.upper(), re.sub(r"\{\w+\}", "{}", path)) for path, verbs in described.items() for verb in verbs}
    told = {(verb, re.sub(r"\{\w+\}", "{}", path)) for verb, path in told} - {("GET", "/docs"), ("GET", "/openapi.json")}
    assert len(there) >= 9 and told == there
    (example,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    run = ended(client, start(client, json.loads(example)))
    assert run["state"] == "done" and run["summary"]["persons"]["placed"] == 2
    assert client.get(f"/explain?run={run['id']}&household_id=H1").json()["placed"] is True


def test_the_command_starts_it_on_loopback_and_stops_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n", encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    work = command("serve", "--port", port, "--token-file", tmp_path / "token")
    with subprocess.Popen(work, cwd=ROOT, env=environ(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=LET_IN, trust_env=False) as client:
                for _ in range(300):
                    try:
                        assert client.get("/health").json()["status"] == "ok"
                        break
                    except httpx.TransportError:
                        time.sleep(0.1)
                assert ended(client, start(client, small("1")))["state"] == "done"
                run = start(client, task(INSTANCES / "pokrovsk-month"))
                assert client.get(f"/runs/{run}").json()["state"] in ("queued", "running")
        finally:
            server.send_signal(signal.SIGTERM)
            out, errors = server.communicate(timeout=60)
    assert out == "" and TOKEN not in errors and "H1" not in errors
    others = subprocess.run(
        command("serve", "--host", "0.0.0.0"), env=environ(MATCHER_TOKEN=""), capture_output=True, text=True, timeout=60, check=False
    )
    assert others.returncode == 2 and "token" in others.stderr
    assert threading.active_count() < 50

"""The examples run: each is executed as it stands, with stand-ins only for programs that are not ours (Airflow)."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runs import INSTANCES, ROOT, command, environ, generated, rows_of
from tests.runs import matcher as run_matcher

EXAMPLES = ROOT / "examples"


def module(name: str) -> Any:
    """An example, imported."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_every_example_is_listed() -> None:
    listed = set(re.findall(r"\]\(([\w.]+)\)", (EXAMPLES / "README.md").read_text(encoding="utf-8")))
    assert listed == {path.name for path in EXAMPLES.iterdir() if path.is_file()} - {"README.md"}


def test_the_web_service_answers() -> None:
    testing = pytest.importorskip("fastapi.testclient")
    body = {path.stem: rows_of(path) for path in generated(20, 1).glob("*.csv") if path.stem != "placements"}
    with testing.TestClient(module("web_service").app) as client:
        answer = client.post("/match", json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["summary"]["status"] == "optimal" and answer.json()["placements"]
        body["households"][0]["persons"] = "many"
        faulty = client.post("/match", json=body)
    assert faulty.status_code == 422 and "persons" in faulty.json()["detail"][0]


def test_the_notebook_runs_from_top_to_bottom(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    cells = json.loads((EXAMPLES / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {}
    ran = 0
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), "notebook.ipynb", "exec"), names)
            ran += 1
    assert ran > 6 and len(names["placements"]) > 40 and len(names["faults"]) == 1
    assert "households would go elsewhere" in capsys.readouterr().out


class Failed(Exception):
    """Stands for AirflowFailException."""


def airflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow's TaskFlow decorators as far as the example uses them: tasks run as they are called, and {{ ds }} is the day."""

    def task(work: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given: work(*("2026-11-22" if one == "{{ ds }}" else one for one in given))

    decorators = {"dag": lambda **_: lambda work: work, "task": task}
    parts = {"airflow": {}, "airflow.decorators": decorators, "airflow.exceptions": {"AirflowFailException": Failed}}
    for name, members in parts.items():
        stand_in = types.ModuleType(name)
        vars(stand_in).update(members)
        monkeypatch.setitem(sys.modules, name, stand_in)


def test_the_tasks_of_airflow_run_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    airflow(monkeypatch)
    monkeypatch.setenv("SHELTER_INSTANCE", str(generated(20, 1)))
    monkeypatch.setenv("SHELTER_RUNS", str(tmp_path))
    module("airflow_dag")
    assert rows_of(tmp_path / "2026-11-22" / "placements.csv")
    monkeypatch.setenv("SHELTER_INSTANCE", str(INSTANCES / "hard-night-faulty"))
    with pytest.raises(Failed, match=r"households\.csv"):
        module("airflow_dag")


def test_what_r_reads_is_there(tmp_path: Path) -> None:
    text = (EXAMPLES / "from_r.R").read_text(encoding="utf-8")
    solved = run_matcher("solve", generated(20, 1), "--out", tmp_path / "out", "--date", "2026-11-22", "--quiet", "--json")
    first = rows_of(tmp_path / "out" / "placements.csv")[0]["household_id"]
    told = run_matcher("explain", generated(20, 1), tmp_path / "out", first, "--json")
    answers = {"summary": json.loads(solved.stdout), "first": json.loads(told.stdout)}
    fields = re.findall(r"\b(summary|first)\$([\w$]+)", text)
    assert len(fields) >= 6
    for name, path in fields:
        value = answers[name]
        for key in path.split("$"):
            value = value[key]


def test_the_r_example_runs(tmp_path: Path) -> None:
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed; what its example reads is tested without it")
    if subprocess.run(["Rscript", "-e", "library(jsonlite)"], capture_output=True, check=False).returncode:
        pytest.skip("R is here without jsonlite")
    program = " ".join(command())
    work = ["Rscript", str(EXAMPLES / "from_r.R"), str(generated(20, 1)), str(tmp_path / "out")]
    done = subprocess.run(work, env=environ(MATCHER=program), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "optimal :" in done.stdout and " goes to " in done.stdout
    work[2] = str(INSTANCES / "hard-night-faulty")
    failed = subprocess.run(work, env=environ(MATCHER=program), capture_output=True, text=True, timeout=120, check=False)
    assert failed.returncode != 0 and "exit code 3" in failed.stderr

"""The nightly run with its history in PostgreSQL: published, unchanged, decided, made again. On SQLite every other test does it."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

from matcher.asked import asked
from matcher.decisions import record
from matcher.history import open_history
from matcher.nightly.config import read_config
from matcher.nightly.log import night_log
from matcher.nightly.night import run_night
from matcher.nightly.replay import replay
from tests.history.conftest import database
from tests.history.test_history import DAY
from tests.nightly.world import World
from tests.runs import INSTANCES


def test_nights_with_a_history_in_postgres(postgres: Path, tmp_path: Path) -> None:
    address = database(postgres)
    world = World(tmp_path / "service")
    text = world.config.read_text(encoding="utf-8")
    world.config.write_text(f'history = "{address}"\n{text}', encoding="utf-8")
    world.deliver(INSTANCES / "chasiv-yar")
    config = read_config(world.config)
    first = run_night(config, DAY)
    assert (first.outcome, run_night(config, DAY).outcome) == ("published", "unchanged")
    with (first.folder / "placements.csv").open(encoding="utf-8", newline="") as file:
        one = next(row for row in csv.DictReader(file) if row["status"] == "proposed")
    with open_history(address) as history:
        record(history, [asked("accept", one["household_id"], None, "agreed", "clerk", None, DAY)], today=DAY)
    second = run_night(config, DAY + dt.timedelta(1))
    with (second.folder / "placements.csv").open(encoding="utf-8", newline="") as file:
        assert {row["household_id"]: row["status"] for row in csv.DictReader(file)}[one["household_id"]] == "accepted"
    with open_history(address) as history, night_log("-", tmp_path / "log") as log:
        assert [run.name for run in history.runs()] == ["2026-11-23", "2026-11-22"]
        assert replay(config, history, history.run("2026-11-23"), log) == ()

"""A night after a night, and links under prices, on instances small enough for every day."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest

from benchmarks import again, linked
from matcher import generate, read_instance, solve
from tests.runs import DATE


def test_what_changes_between_two_nights(tmp_path: Path) -> None:
    generate(tmp_path, 200, 5, 1.0)
    before = {row.household_id: row.accommodation_id for row in solve(read_instance(tmp_path), date=DATE).placements}
    gone = again.change(tmp_path, before, random.Random(5))
    instance = read_instance(tmp_path)
    assert 0 < len(gone) < 20
    for household in instance.households:
        assert household.consent or household.household_id not in before or household.household_id in gone
    with (tmp_path / "placements.csv").open(encoding="utf-8", newline="") as file:
        standing = {row["household_id"]: row["accommodation_id"] for row in csv.DictReader(file)}
    assert set(before) <= set(standing)


def test_the_night_after_is_measured(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["again", "60", "7"])
    again.main()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("run") for line in lines] == [None, "cold", "warm"]
    assert lines[1]["still_valid"] == lines[2]["still_valid"] > 30 and lines[2]["share_moved"] < 0.2


def test_links_under_prices_are_compared_with_exact(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["linked", "1", "7"])
    monkeypatch.setattr(linked, "HOUSEHOLDS", 60)
    linked.main()
    found = json.loads(capsys.readouterr().out)
    assert found["instances"] == found["optimal"] == 1 and found["cost_over_exact"] >= 0

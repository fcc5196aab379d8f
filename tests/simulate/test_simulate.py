"""Months played against the nightly code: everybody accounted for, nobody who accepted moved, nothing declined proposed again."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from matcher.cli.app import app
from matcher.errors import UsageError
from matcher.history import open_history
from matcher.published import read_published
from matcher.simulate import Habits, simulate
from matcher.simulate.people import Ledger, People
from matcher.simulate.world import World

DAY = dt.date(2026, 11, 22)
BUSY = Habits(answer=0.8, move_in=0.7, leave=0.05, withdraw=0.03)


def test_some_nights_hold_and_can_be_made_again(tmp_path: Path) -> None:
    month = simulate(tmp_path / "service", days=3, seed=3, households=40, habits=BUSY, effort=0.1, again=True)
    assert len(month.nights) == 3 and month.replayed + month.cut == 3
    with open_history(tmp_path / "service" / "history.sqlite") as history:
        actions = {one.action for one in history.decisions()}
        assert {"accept", "decline", "move-in"} <= actions
        assert {one.source for one in history.decisions()} == {"command", "decisions.csv"}
    last = month.nights[-1]
    assert last.moved_in > 0 and last.decisions > 3 and sum(night.kept for night in month.nights) > 0


def test_the_ledger_finds_what_is_wrong(tmp_path: Path) -> None:
    """The checks are checked: a night that was tampered with is found out."""
    service = tmp_path / "service"
    simulate(service, days=1, seed=3, households=40, effort=0.1)
    night = read_published(service / "outbox" / "latest")
    here = frozenset(row.household_id for row in (*night.placements, *night.unplaced))
    people = People(World(tmp_path / "world", 40, 1, 3, DAY, 0.9), Habits(), 3)
    none: frozenset[str] = frozenset()
    assert people.broken(DAY, here, night, none) == []
    one, two = [row for row in night.placements if row.status == "proposed"][:2]
    cases = {
        "accounted for": (Ledger(), here | {"H9999"}),
        "has accepted and is not kept": (Ledger(accepted={one.household_id: two.accommodation_id}), here),
        "has moved in and is not kept": (Ledger(lives={one.household_id: one.accommodation_id}), here),
        "what was declined": (Ledger(declined={(one.household_id, one.accommodation_id)}), here),
        "has withdrawn": (Ledger(withdrawn={two.accommodation_id}), here),
        "asked to wait": (Ledger(parked={one.household_id: DAY}), here),
    }
    for words, (ledger, everybody) in cases.items():
        people.ledger = ledger
        assert words in " ".join(people.broken(DAY, everybody, night, none))
    people.ledger = Ledger()
    twice = replace(night, unplaced=(*night.unplaced, replace(night.unplaced[0], household_id=one.household_id)))
    assert "accounted for" in " ".join(people.broken(DAY, here, twice, none))
    assert len(cases) == 6


def test_the_command_prints_night_by_night(tmp_path: Path) -> None:
    arguments = ["simulate", "--days", "1", "--seed", "5", "--households", "12", "--effort", "0.1"]
    done = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "kept")])
    assert done.exit_code == 0, done.output
    assert [line.split()[0] for line in done.stdout.splitlines()[:2]] == ["night", "2026-11-22"]
    assert (tmp_path / "kept" / "outbox" / "latest" / "changes.csv").is_file()
    with pytest.raises(UsageError, match="not an empty folder"):
        simulate(tmp_path / "kept", days=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_thirty_nights_at_a_thousand_households(tmp_path: Path, seed: int) -> None:
    month = simulate(tmp_path / "service", days=30, seed=seed, households=1000, again=True)
    assert len(month.nights) == 30 and month.replayed + month.cut == 30
    assert month.replayed >= 25, "so many nights were cut by the clock that little was compared"
    assert month.nights[-1].households > 900


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_busy_months_of_small_places(tmp_path: Path, seed: int) -> None:
    month = simulate(tmp_path / "service", days=20, seed=seed, households=80, beds_per_person=0.7, habits=BUSY, effort=0.1, again=True)
    assert len(month.nights) == 20

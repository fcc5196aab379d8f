"""Nights with their history in PostgreSQL: the same promises, also when a run is killed and its connection with it."""

from __future__ import annotations

import random
from pathlib import Path

from matcher.history import open_history
from matcher.nightly.outbox import sum_of
from tests.history.conftest import database, postgres  # noqa: F401  (the fixture)
from tests.nightly.world import DATE, Driver, World, other, tiny


def test_nights_with_a_history_in_postgresql(postgres: Path, tmp_path: Path) -> None:  # noqa: F811
    address = database(postgres)
    world = World(tmp_path)
    world.config.write_text(f'history = "{address}"\n' + world.config.read_text(encoding="utf-8"), encoding="utf-8")
    world.deliver(tiny())
    rng, killed = random.Random(5), 0
    with Driver(tmp_path) as driver:
        first = driver.night(world, DATE)
        assert (first["code"], first["outcome"]) == (0, "published"), first
        assert driver.night(world, DATE)["outcome"] == "unchanged"
        world.deliver(other())
        for day in ("2026-11-23", "2026-11-24"):
            for _ in range(2):
                killed += driver.night(world, day, at=rng.randint(20, first["calls"]))["killed"]
            there = world.published()
            again = driver.night(world, day)
            assert again["code"] == 0, again
            assert there.items() <= world.published().items()
            with open_history(address) as history:
                runs = history.runs(outcome="published")
                assert history.unfinished() == ()
                assert {run.name: run.folder_sha256 for run in runs} == {name: sum_of(world.outbox / name) for name in world.published()}
                assert all(len(history.proposals(run)) == run.counts["households"]["placed"] for run in runs)
    assert killed >= 2

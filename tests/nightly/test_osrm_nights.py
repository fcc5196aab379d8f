"""Nights whose ways a routing server measures (`[travel] model = "osrm"`): asked once, kept, and not needed to make a night again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from matcher.errors import ExitCode
from matcher.history import open_history
from matcher.nightly.config import read_config
from matcher.nightly.log import night_log
from matcher.nightly.replay import replay
from matcher.places import direct
from matcher.verify import verify
from tests.nightly.test_decided_nights import decide
from tests.nightly.test_night import night, refused
from tests.nightly.world import DATE, World, other, tiny
from tests.places.routing import Playing, from_record
from tests.places.test_osrm import plain_answer
from tests.runs import INSTANCES, generated, rows_of

SHORT = generated(16, 3, 0.6, 0.0)
"""Not everybody has a place there."""
NEXT, THIRD = "2026-11-23", "2026-11-24"


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own for every test, and no pauses."""
    monkeypatch.setenv("MATCHER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(direct, "PAUSE_S", 0.0)


def asking(folder: Path, url: str, *, remedies: bool = False) -> World:
    """A service whose own policy names the server."""
    world = World(folder, remedies=remedies)
    world.config.write_text('policy = "policy.toml"\n' + world.config.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "policy.toml").write_text(f'[travel]\nmodel = "osrm"\nosrm_url = "{url}"\n', encoding="utf-8")
    return world


def made_again(world: World, date: str) -> tuple[str, ...]:
    config = read_config(world.config)
    with open_history(world.history) as history, night_log(config.log.file, config.path(config.log.file)) as log:
        return replay(config, history, history.run(date), log)


def test_nights_with_a_routing_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Playing(from_record()) as server:
        world = asking(tmp_path / "service", server.url)
        world.deliver(INSTANCES / "chasiv-yar")
        first = night(world)
        assert first.run.status == "optimal" and len(server.asked) == 1
        told = json.loads((first.folder / "summary.json").read_text(encoding="utf-8"))
        assert told["travel"]["model"] == "osrm" and (first.folder / "distances.json").exists()
        assert all(row["minutes"] for row in rows_of(first.folder / "placements.csv"))
        assert verify(INSTANCES / "chasiv-yar", first.folder).right
        assert night(world).outcome == "unchanged" and len(server.asked) == 1
        proposed = [row["household_id"] for row in rows_of(first.folder / "placements.csv") if row["status"] == "proposed"]
        decide(world, ("accept", proposed[0], None), ("decline", proposed[1], None))
        second = night(world, NEXT)
        assert second.run.based_on == first.run.id and len(server.asked) == 1, "what is known is not asked again"
    changed = {row["household_id"]: row for row in rows_of(second.folder / "changes.csv")}
    assert changed[proposed[1]]["change"] == "changed" and changed[proposed[1]]["km_to"]
    world.check()
    log = (world.folder / "nightly.jsonl").read_text(encoding="utf-8")
    assert not any(place in log for place in ("Pokrovsk", "48.28", "37.17")), "no place in the log"
    monkeypatch.setenv("MATCHER_CACHE", str(tmp_path / "another"))
    assert made_again(world, DATE) == () and made_again(world, NEXT) == (), "the ways stand with the run: no server is needed"


def test_what_would_help_is_looked_for_on_the_same_ways(tmp_path: Path) -> None:
    with Playing(plain_answer) as server:
        world = asking(tmp_path / "service", server.url, remedies=True)
        world.deliver(SHORT)
        made = night(world)
        asked = len(server.asked)
    assert asked >= 1 and any(row["remedy"] for row in rows_of(made.folder / "unplaced.csv"))
    assert verify(SHORT, made.folder).right
    world.check()


@pytest.mark.parametrize(
    ("answer", "said"),
    [(None, "cannot be reached"), (lambda path: (503, b"later"), "status 503, 4 times"), (lambda path: (200, b"{}"), "table service")],
    ids=["away", "busy", "nonsense"],
)  # fmt: skip
def test_without_the_server_the_last_night_stays_and_the_next_goes_on(
    answer: Callable[[str], tuple[int, bytes]] | None, said: str, tmp_path: Path
) -> None:
    answering: list[Callable[[str], tuple[int, bytes]]] = [plain_answer]

    def now(path: str) -> tuple[int, bytes]:
        return answering[0](path)

    with Playing(now) as server:
        world = asking(tmp_path / "service", server.url)
        world.deliver(tiny())
        night(world)
        world.deliver(other())  # of other places
        if answer is not None:
            answering[0] = answer
            failure = refused(world, NEXT)
        else:
            (world.folder / "policy.toml").write_text('[travel]\nmodel = "osrm"\nosrm_url = "http://127.0.0.1:9"\n', encoding="utf-8")
            failure = refused(world, NEXT)
            (world.folder / "policy.toml").write_text(f'[travel]\nmodel = "osrm"\nosrm_url = "{server.url}"\n', encoding="utf-8")
        assert said in str(failure) and "127.0.0.1" in str(failure) and failure.exit_code is ExitCode.USAGE
        answering[0] = plain_answer
        assert night(world, THIRD).outcome == "published"
    assert (world.outbox / "latest").readlink() == Path(THIRD)
    world.check()

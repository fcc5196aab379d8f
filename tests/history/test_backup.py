"""Backups, restores, migrations and purges: byte for byte, whole or not at all, and no way back after a purge."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import inspect

from matcher.errors import UsageError
from matcher.history import Decision, History, HistoryError, Proposal, open_history
from matcher.history.backup import BEFORE_RESTORE, back_up, restore
from matcher.history.database import HEAD, migrate, open_engine, url_of, version_of, writing
from matcher.history.purge import purge
from matcher.history.tables import metadata
from tests.history.test_history import DAY, decision, proposal, publish
from tests.runs import ROOT, environ

OLD, LATER = DAY - dt.timedelta(200), DAY + dt.timedelta(5)
PREVIOUS = "0001"


def content(history: History) -> list[object]:
    """Everything that a history holds."""
    runs = history.runs()
    return [runs, [history.proposals(run) for run in runs], history.decisions(), [history.fingerprints(run) for run in runs]]


def filled(history: History) -> None:
    """Two nights and some decisions."""
    for day, homes in ((OLD, ("A1", "A2")), (DAY, ("A1", "A3"))):
        run = history.start(day)
        with history.publishing(run, cost=5, message="", decisions_upto=history.last_decision()) as publication:
            publication.add_proposals([proposal(f"HOUSE{i}", home, day) for i, home in enumerate(homes)])
            publication.add_fingerprints({("household", f"HOUSE{i}"): f"x={day}" for i in range(2)} | {("accommodation", "A1"): "y=1"})
        history.add_decisions([decision("accept", "HOUSE0", "A1", f"key{day}")])


def test_a_restored_backup_is_the_same_to_the_byte(history: History, address: str, tmp_path: Path) -> None:
    filled(history)
    first = back_up(history, tmp_path / "one.backup")
    assert first.stat().st_mode & 0o777 == 0o600
    if history.path is not None:
        assert first.read_bytes() == history.path.read_bytes()
    before = content(history)
    history.add_decisions([decision("decline", "HOUSE1", "A3", "later")])
    publish(history, LATER, proposal("HOUSE9", "A9"))
    assert content(history) != before
    history.close()
    restore(address, first)
    with open_history(address) as again:
        assert content(again) == before
        assert back_up(again, tmp_path / "two.backup").read_bytes() == first.read_bytes()
        assert again.start(LATER).id == 3, "numbers go on after what the backup had"
        assert again.add_decisions([decision("park", "HOUSE1", None, "after")]) == (3,)
    if history.path is not None:
        assert history.path.with_name(history.path.name + BEFORE_RESTORE).exists()


def test_a_history_moves_from_sqlite_to_postgres_and_back(tmp_path: Path, postgres: Path) -> None:
    from tests.history.conftest import database

    there = database(postgres)
    with open_history(tmp_path / "here.sqlite", create=True) as here:
        filled(here)
        before, file = content(here), back_up(here, tmp_path / "backup")
    restore(there, file)
    with open_history(there) as moved:
        assert content(moved) == before
        restore(tmp_path / "back.sqlite", back_up(moved, tmp_path / "second"))
    with open_history(tmp_path / "back.sqlite") as back:
        assert content(back) == before


def test_what_is_no_backup_is_not_restored(history: History, address: str, tmp_path: Path) -> None:
    filled(history)
    good = back_up(history, tmp_path / "good")
    before = content(history)
    with pytest.raises(UsageError, match="already"):
        back_up(history, good)
    data = good.read_bytes()
    cases = {
        "empty": b"",
        "text": b"no database" * 500,
        "cut": data[: len(data) // 2],
        "torn": data[:8192] + os.urandom(4096) + data[12288:],
    }
    for name, wrong in cases.items():
        (tmp_path / name).write_bytes(wrong)
        with pytest.raises(HistoryError):
            restore(address, tmp_path / name)
    newer = tmp_path / "newer"
    newer.write_bytes(data)
    with sqlite3.connect(newer) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(HistoryError, match="newer"):
        restore(address, newer)
    with pytest.raises(UsageError, match="no backup"):
        restore(address, tmp_path / "nowhere")
    assert content(history) == before
    assert len(cases) == 4


def test_a_history_in_use_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    with open_history(path, create=True) as history:
        filled(history)
        file = back_up(history, tmp_path / "backup")
        before = path.read_bytes()
        with history.writing(), pytest.raises(HistoryError, match="in use"):
            restore(path, file)
        assert path.read_bytes() == before


@pytest.mark.parametrize("start", [b"", b"SQLite format 3\0"], ids=["no database", "a broken one"])
def test_a_damaged_history_can_be_replaced(start: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "history.sqlite"
    with open_history(path, create=True) as history:
        filled(history)
        before, file = content(history), back_up(history, tmp_path / "backup")
    path.write_bytes(start + b"garbage" * 1000)
    Path(f"{path}-journal").write_bytes(b"old journal")
    restore(path, file)
    with open_history(path) as again:
        assert content(again) == before
    assert path.with_name(path.name + BEFORE_RESTORE).read_bytes() == start + b"garbage" * 1000
    assert "is damaged" in caplog.text


# --- migrations -------------------------------------------------------------------------------------------------------------------


def previous(address: str) -> None:
    """A database as the previous version of the schema left it, with rows in it."""
    engine = open_engine(url_of(address), create=True)  # makes the newest one
    with writing(engine) as connection:
        connection.exec_driver_sql("DROP TABLE fingerprints")
        connection.exec_driver_sql("DELETE FROM alembic_version")
        connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{PREVIOUS}')")
        connection.exec_driver_sql(
            "INSERT INTO runs (name, date, revision, outcome, started_at, delivery, input_sha256, policy, options, versions, cost_terms, "
            "counts, timings, decisions_upto, folder, folder_sha256, message) VALUES ('2026-11-22', '2026-11-22', 1, 'published', "
            "'2026-11-22T01:00:00.000000Z', '', '', '{}', '{}', '{}', '{}', '{}', '{}', 0, '', '', '')"
        )
    engine.dispose()


def test_the_tables_are_what_the_migrations_make(address: str) -> None:
    with open_history(address, create=True) as history:
        assert version_of(history.engine) == HEAD
        found = inspect(history.engine)
        assert set(found.get_table_names()) == {*metadata.tables, "alembic_version"}
        for name, table in metadata.tables.items():
            columns = {column["name"]: (str(column["type"]), column["nullable"]) for column in found.get_columns(name)}
            wanted = {c.name: (c.type.compile(history.engine.dialect), bool(c.nullable)) for c in table.columns}
            assert {k: (v[0].upper(), v[1]) for k, v in columns.items()} == wanted, name
            assert found.get_pk_constraint(name)["constrained_columns"] == [c.name for c in table.primary_key.columns]
            assert {i["name"] for i in found.get_indexes(name) if not i.get("duplicates_constraint")} == {
                str(i.name) for i in table.indexes
            }
    migrations = sorted(path.stem[:4] for path in (ROOT / "matcher/history/migrations/versions").glob("0*.py"))
    assert migrations[-1] == HEAD and migrations[-2] == PREVIOUS


def test_the_previous_schema_is_brought_up_to_date(address: str) -> None:
    previous(address)
    with open_history(address) as history:
        assert version_of(history.engine) == HEAD
        run = history.run("2026-11-22")
        assert history.fingerprints(run) == {}
        filled(history)
        assert len(history.runs()) == 3


def test_a_migration_that_fails_changes_nothing(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    previous(address)
    from matcher.history.migrations import versions

    engine = open_engine_only(address)
    before = sorted(inspect(engine).get_table_names())
    from alembic.operations import Operations

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Operations, "create_index", dies)  # the step's second half
    assert versions.__doc__
    with pytest.raises(KeyboardInterrupt):
        migrate(engine)
    assert sorted(inspect(engine).get_table_names()) == before
    assert version_of(engine) == PREVIOUS
    engine.dispose()


def open_engine_only(address: str):  # type: ignore[no-untyped-def]
    """Connected, and not migrated."""
    from sqlalchemy import create_engine

    from matcher.history.database import _tune_sqlite

    engine = create_engine(url_of(address))
    if engine.dialect.name == "sqlite":
        _tune_sqlite(engine)
    return engine


KILLED = """
import os, signal, sys
from alembic.operations import Operations
from matcher.history import open_history
real = getattr(Operations, sys.argv[2])
def dies(*args, **kwargs):
    out = real(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(Operations, sys.argv[2], dies)
open_history(sys.argv[1])
"""


@pytest.mark.parametrize("instant", ["create_table", "create_index"])
def test_a_migration_that_is_killed_leaves_the_database_as_it_was(address: str, instant: str) -> None:
    previous(address)
    file = Path(address)
    before = file.read_bytes() if "://" not in address else b""
    done = subprocess.run([sys.executable, "-c", KILLED, address, instant], env=environ(), cwd=ROOT, check=False, timeout=200)
    assert done.returncode == -signal.SIGKILL
    engine = open_engine_only(address)
    assert version_of(engine) == PREVIOUS
    assert "fingerprints" not in inspect(engine).get_table_names()
    engine.dispose()
    if before:
        assert file.read_bytes() == before
    with open_history(address) as history:
        assert version_of(history.engine) == HEAD
        assert [run.name for run in history.runs()] == ["2026-11-22"]


# --- purges -----------------------------------------------------------------------------------------------------------------------


def secrets(history: History, day: dt.date, name: str, **more: str) -> None:
    """A night with one household whose id can be found in a file."""
    run = history.start(day)
    with history.publishing(run, message=f"{name} was here", decisions_upto=history.last_decision()) as publication:
        rows = [Proposal(name, f"OFFER-{name}", "proposed", (), day, 2, 0, 0)] + [
            Proposal(h, a, "proposed", (), day, 2, 0, 0) for h, a in more.items()
        ]
        publication.add_proposals(rows)
        ids = [("household", row.household_id) for row in rows] + [("accommodation", row.accommodation_id) for row in rows]
        publication.add_fingerprints(dict.fromkeys(ids, "x=1"))


def pages(history: History, postgres_folder: Path | None) -> bytes:
    """Every byte of the database's files."""
    if history.path is not None:
        return history.path.read_bytes()
    assert postgres_folder is not None
    with history.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CHECKPOINT")
        tables = [*metadata.tables]
        paths = [connection.exec_driver_sql(f"SELECT pg_relation_filepath('{name}')").scalar_one() for name in tables]
        indexes = connection.exec_driver_sql("SELECT pg_relation_filepath(indexrelid) FROM pg_stat_user_indexes").scalars().all()
    return b"".join((postgres_folder / "data" / path).read_bytes() for path in (*paths, *indexes))


def test_after_a_purge_there_is_no_way_back(history: History, request: pytest.FixtureRequest) -> None:
    folder = None if history.path is not None else request.getfixturevalue("postgres")
    for i in range(30):
        secrets(history, OLD + dt.timedelta(i), "GONE-HOUSEHOLD", STAYING="A1", OTHERGONE=f"A{i}")
        history.add_decisions([
            Decision("decline", "GONE-HOUSEHOLD", f"OFFER{i}", "too_far", "household", "clerk", OLD, key=f"g{i}"),
            Decision("withdraw", "GONE-HOUSEHOLD", "A1", "repairs", "host", "clerk", OLD, OLD, key=f"w{i}"),
        ])  # fmt: skip
    history.add_decisions([Decision("accept", "STAYING", "A1", "agreed", "household", "clerk", OLD, key="s")])
    secrets(history, DAY, "NEW-HOUSEHOLD", STAYING="A1")
    assert all(name in pages(history, folder) for name in (b"GONE-HOUSEHOLD", b"OTHERGONE"))
    before = history.standings(DAY, 7)
    done = purge(history, DAY - dt.timedelta(30))
    data = pages(history, folder)
    assert b"GONE" not in data and b"OFFER0" not in data
    assert b"STAYING" in data and b"NEW-HOUSEHOLD" in data
    assert (done.households, done.proposals) == (2, 90)
    after = history.standings(DAY, 7)
    assert after.of("STAYING") == before.of("STAYING") and after.of("STAYING").state == "accepted"
    assert len(history.runs()) == 31 and {run.message for run in history.runs() if run.date < DAY} == {""}
    with pytest.raises(HistoryError, match="only ever added"), history.writing() as connection:
        connection.exec_driver_sql("DELETE FROM decisions")
    assert history.add_decisions([decision("park", "STAYING", None, "new")])[0] > 61, "numbers are not given twice"


def test_a_purge_of_everything_leaves_nothing(history: History, request: pytest.FixtureRequest) -> None:
    folder = None if history.path is not None else request.getfixturevalue("postgres")
    secrets(history, DAY, "LASTONE", STAYING="A1")
    history.add_decisions([Decision("move-in", "STAYING", "A1", "arrived", "household", "clerk", DAY, key="s")])
    done = purge(history, DAY + dt.timedelta(1))
    data = pages(history, folder)
    assert not [name for name in (b"LASTONE", b"STAYING", b"OFFER") if name in data]
    assert (done.households, done.decisions) == (2, 1)
    assert history.decisions() == () and len(history.runs()) == 1


def test_a_purge_keeps_what_is_in_force(history: History) -> None:
    """Whatever was decided long ago of those who are still here says the same after a purge."""
    filled(history)
    rows = [
        decision("decline", "HOUSE1", "A1", "d1"), decision("decline", "HOUSE1", "A2", "d2", OLD),
        decision("park", "HOUSE1", None, "p", OLD),
        decision("move-in", "HOUSE0", "A1", "m"), decision("withdraw", None, "A1", "w"), decision("withdraw", None, "A7", "w7"),
    ]  # fmt: skip
    from dataclasses import replace

    history.add_decisions([replace(row, decided_at=OLD) for row in rows])
    before = history.standings(DAY, 7)
    done = purge(history, DAY)
    after = history.standings(DAY, 7)
    assert after.of("HOUSE0") == before.of("HOUSE0") and after.of("HOUSE0").state == "moved_in"
    assert dict(after.of("HOUSE1").ruled_out)["A1"] is None
    assert "A1" in after.withdrawn and "A7" not in after.withdrawn
    assert done.decisions >= 2

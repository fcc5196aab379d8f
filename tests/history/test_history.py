"""The history as a database: what is written in one transaction, what is found again, what is refused."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path

import pytest

from matcher.errors import UsageError
from matcher.history import Decision, FileSum, History, HistoryError, Proposal, open_history
from matcher.history.database import version_of

DAY = dt.date(2026, 11, 22)


def proposal(household: str, offer: str, since: dt.date = DAY, status: str = "proposed") -> Proposal:
    return Proposal(household, offer, status, (2, 2), since, 3, 1234, 999)


def decision(action: str, household: str | None, offer: str | None, key: str, until: dt.date | None = None) -> Decision:
    return Decision(action, household, offer, "other", "household", "clerk", DAY, until, key=key)  # type: ignore[arg-type]


def publish(history: History, date: dt.date, *proposals: Proposal, **values: object) -> str:
    run = history.start(date, delivery="d")
    with history.publishing(run, **values) as publication:
        publication.add_proposals(proposals)
    return publication.name


def test_a_run_is_found_again_as_it_was_written(history: History) -> None:
    files = {"households.csv": FileSum(7, 2, "ab"), "accommodations.csv": FileSum(9, None, "cd")}
    name = publish(history, DAY, proposal("H2", "A1"), proposal("H1", "A1"), cost=2**60, gap=0.125, files=files, policy={"x": ["ї", 1]})
    run = history.last_published()
    assert run is not None
    assert (run.name, name, run.cost, run.gap, run.files, run.policy) == ("2026-11-22", name, 2**60, 0.125, files, {"x": ["ї", 1]})
    assert run.finished_at is not None and run.finished_at.tzinfo == dt.UTC
    assert [p.household_id for p in history.proposals(run)] == ["H1", "H2"]
    assert history.proposals(run)[0] == proposal("H1", "A1")
    assert history.run(run.id) == history.run("2026-11-22") == run


def test_a_publication_that_fails_leaves_no_row(history: History) -> None:
    run = history.start(DAY)
    with pytest.raises(HistoryError, match=r"UNIQUE constraint|unique constraint"), history.publishing(run, cost=1) as publication:
        publication.add_proposals([proposal("H1", "A1"), proposal("H1", "A2")])
    assert history.last_published() is None
    assert history.proposals(run) == ()
    assert [one.id for one in history.unfinished()] == [run.id]
    history.close_run(run, "crashed", "it was killed")
    assert history.unfinished() == ()
    assert history.run(run.id).message == "it was killed"


def test_the_second_result_of_a_date_is_a_revision(history: History) -> None:
    refused = history.start(DAY)
    history.close_run(refused, "refused", "empty")
    names = [publish(history, DAY), publish(history, DAY), publish(history, DAY + dt.timedelta(1)), publish(history, DAY)]
    assert names == ["2026-11-22", "2026-11-22.2", "2026-11-23", "2026-11-22.3"]
    last = history.last_published()
    assert last is not None and last.name == "2026-11-23"
    assert (history.last_published(on=DAY) or last).name == (history.last_published(date=DAY) or last).name == "2026-11-22.3"
    assert history.last_published(on=DAY - dt.timedelta(1)) is None


def test_decisions_are_only_ever_added(history: History) -> None:
    first = decision("accept", "H1", "A1", "one")
    assert history.add_decisions([first, decision("decline", "H2", "A1", "two")]) == (1, 2)
    assert history.add_decisions([first]) == (1,)
    assert [one.number for one in history.decisions()] == [1, 2]
    assert history.last_decision() == 2
    for statement in ("UPDATE decisions SET reason = 'x'", "DELETE FROM decisions"):
        with pytest.raises(HistoryError, match="only ever added"), history.writing() as connection:
            connection.exec_driver_sql(statement)
    assert len(history.decisions()) == 2


def test_sqlite_is_set_up_to_survive(tmp_path: Path) -> None:
    history = open_history(tmp_path / "history.sqlite", create=True)
    with history.reading() as connection:
        values = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "secure_delete")}
        tables = connection.exec_driver_sql("SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite%'")
        strict = {row.name: row.strict for row in tables}
    assert values == {"journal_mode": "delete", "synchronous": 2, "secure_delete": 1}
    assert len(strict) >= 6 and set(strict.values()) == {1}
    assert history.path is not None and history.path.stat().st_mode & 0o777 == 0o600
    history.close()


def test_what_is_no_history_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="no history at"):
        open_history(tmp_path / "none.sqlite")
    assert not (tmp_path / "none.sqlite").exists()
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    before = other.read_bytes()
    with pytest.raises(HistoryError, match="something else"):
        open_history(other, create=True)
    (tmp_path / "text.sqlite").write_text("this is no database at all, but long enough to be looked at as one" * 20)
    with pytest.raises(HistoryError, match="not a database"):
        open_history(tmp_path / "text.sqlite")
    assert other.read_bytes() == before
    for wrong in ("mysql://host/name", "sqlite://", "://"):
        with pytest.raises(UsageError):
            open_history(wrong)


def test_a_newer_schema_is_refused_and_left_alone(history: History, address: str) -> None:
    with history.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    before = None if history.path is None else history.path.read_bytes()
    with pytest.raises(HistoryError, match="newer version"):
        open_history(address)
    assert version_of(history.engine) == "9999"
    assert before == (None if history.path is None else history.path.read_bytes())

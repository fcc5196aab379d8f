"""Backups of the history: one SQLite file, byte for byte the database where that is SQLite, and the same rows where it is PostgreSQL."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, select, text

from matcher.errors import UsageError
from matcher.history import tables as t
from matcher.history.database import HEAD, HistoryError, open_engine, path_of, telling, url_of, writing
from matcher.history.store import History, open_history

BEFORE_RESTORE = ".before-restore"
_AT_ONCE = 5000
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
"""What SQLite says of a file that it cannot lock because it cannot read it: a reason to restore. The low byte of its extended codes."""
log = logging.getLogger(__name__)


def back_up(history: History, target: Path) -> Path:
    """Write a backup to a new file, whole or not at all, with rights for its owner alone.

    Runs and decisions that come in meanwhile wait. Raises UsageError: the file is there already, or cannot be written.
    """
    target = target.expanduser().absolute()
    if target.exists():
        raise UsageError(f"{target} is there already; name a new file")
    stage = target.with_name(f".{target.name}.staging-{os.getpid()}")
    try:
        with telling(history.engine.url):
            if history.path is not None:
                _copy_file(history, stage)
            else:
                _copy_rows_out(history.engine, stage)
        _flush(stage)
        stage.rename(target)
        _flush(target.parent)
    except OSError as error:
        raise UsageError(f"the backup could not be written to {target}: {error.strerror}") from error
    finally:
        stage.unlink(missing_ok=True)
    return target


def restore(where: str | Path, backup: Path) -> None:
    """Make the history what a backup says. An SQLite file is replaced whole (what was there stays beside it as NAME.before-restore until
    the next purge or restore); in PostgreSQL all rows are replaced in one transaction.

    Raises HistoryError: the backup is damaged, no history, or of a newer version; another program is using the history.
    """
    backup = backup.expanduser().absolute()
    url = url_of(where)
    check_backup(backup)
    path = path_of(url)
    if path is None:
        engine = open_engine(url, create=True)
        try:
            with telling(url):
                _copy_rows_in(backup, engine)
        finally:
            engine.dispose()
        return
    if path.exists() and path.samefile(backup):
        raise UsageError("the backup is the history itself; name another file")
    stage = path.with_name(f".{path.name}.staging-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _copy(backup, stage)
        _flush(stage)
        _put_in_place(stage, path)
    except OSError as error:
        raise UsageError(f"the backup could not be restored to {path}: {error.strerror}") from error
    finally:
        stage.unlink(missing_ok=True)


def check_backup(backup: Path) -> str:
    """The schema of a backup that is whole. Raises HistoryError for anything else, UsageError where there is none."""
    if not backup.is_file():
        raise UsageError(f"there is no backup at {backup}")
    # immutable: nothing is written beside it, not even a journal.
    try:
        with closing(sqlite3.connect(f"{backup.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            problems = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone() if "alembic_version" in tables else None
    except sqlite3.DatabaseError as error:
        raise HistoryError(f"{backup} is no backup of a history: {error}") from None
    if problems != ["ok"]:
        raise HistoryError(f"{backup} is damaged: {problems[0]}")
    if found is None or not {"runs", "decisions", "proposals"} <= tables:
        raise HistoryError(f"{backup} is no backup of a history")
    if found[0] > HEAD:
        raise HistoryError(f"{backup} has schema {found[0]}, which this version does not know; a newer version has written it")
    return str(found[0])


def _copy_file(history: History, stage: Path) -> None:
    """The bytes of the file while nobody writes: our own connection holds the lock, so no journal is needed to read them."""
    assert history.path is not None
    with writing(history.engine):
        _copy(history.path, stage)


def _copy(source: Path, target: Path) -> None:
    number = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "wb") as out, source.open("rb") as data:
        shutil.copyfileobj(data, out, 1 << 20)


def _put_in_place(stage: Path, path: Path) -> None:
    """Exchange the file while nobody uses it. A journal of the old database must not be played back into the new one."""
    if path.exists():
        with closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode & 0xFF not in _DAMAGED:
                    raise HistoryError(f"the history is in use or cannot be locked, nothing was restored: {error}") from None
                log.warning("the history that is replaced is damaged (%s); it stays beside the new one", error)
            aside = path.with_name(path.name + BEFORE_RESTORE)
            aside.unlink(missing_ok=True)
            os.link(path, aside)
            path.with_name(path.name + "-journal").unlink(missing_ok=True)
            stage.rename(path)
    else:
        path.with_name(path.name + "-journal").unlink(missing_ok=True)
        stage.rename(path)
    _flush(path.parent)


def _copy_rows_out(engine: Engine, stage: Path) -> None:
    """All rows of a PostgreSQL database into a new SQLite file, always in the same order, so that equal rows give equal bytes."""
    copy = open_engine(url_of(stage), create=True)
    try:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as source, source.begin(), writing(copy) as target:
            _copy_rows(source, target)
    finally:
        copy.dispose()


def _copy_rows_in(backup: Path, engine: Engine) -> None:
    """All rows of a backup into PostgreSQL, in the place of those that are there."""
    work = backup.with_name(f".{backup.name}.reading-{os.getpid()}")
    try:
        _copy(backup, work)  # an older schema is brought up to date in the copy, never in the backup
        with open_history(work) as copy, copy.reading() as source, writing(engine) as target:
            names = ", ".join(table.name for table in t.metadata.sorted_tables)
            target.execute(text(f"TRUNCATE {names}"))
            _copy_rows(source, target)
            for table, column in (("runs", "id"), ("decisions", "number")):
                seen = source.execute(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table}).scalar()
                if seen:
                    target.execute(
                        text(f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), :seen)"), {"seen": seen}
                    )  # fmt: skip
    finally:
        work.unlink(missing_ok=True)


def _copy_rows(source: Connection, target: Connection) -> None:
    for table in t.metadata.sorted_tables:
        found = source.execute(select(table).order_by(*table.primary_key.columns))
        for part in found.mappings().partitions(_AT_ONCE):
            target.execute(insert(table), [dict(row) for row in part])


def _flush(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)

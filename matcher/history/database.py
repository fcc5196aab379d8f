"""Opening the history's database: SQLite by default, PostgreSQL by its URL, each brought up to the newest schema."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from matcher.errors import MatcherError, UsageError

HEAD = "0002"
"""The newest schema: the last of migrations/versions (a test holds it)."""
BUSY_S = 30
log = logging.getLogger(__name__)


class HistoryError(MatcherError):
    """The history cannot be read or written: what the database says, and what to do. Nothing was changed."""


def url_of(where: str | Path) -> URL:
    """The database's address: a URL (`sqlite:///…`, `postgresql://…`), or the path of an SQLite file.

    Raises UsageError for anything else.
    """
    words = str(where)
    if "://" not in words:
        return URL.create("sqlite", database=str(Path(words).expanduser().resolve()))
    try:
        url = make_url(words)
    except ArgumentError:
        raise UsageError("the address of the history is not a URL; write a path, sqlite:///PATH or postgresql://HOST/NAME") from None
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise UsageError(f"a history in {url.drivername!r} is not known; there are sqlite and postgresql")
    if url.drivername == "sqlite" and not url.database:
        raise UsageError("a history in memory would be lost at once; name a file: sqlite:///PATH")
    return url


def path_of(url: URL) -> Path | None:
    """The file of an SQLite database; None for others."""
    return Path(str(url.database)) if url.drivername == "sqlite" else None


def open_engine(url: URL, *, create: bool) -> Engine:
    """Connect and bring the schema up to date. create: make a database that is not there yet.

    Raises HistoryError: not there, no database, written by a newer version, no permission.
    """
    path = path_of(url)
    if path is not None:
        _prepare(path, create)
    try:
        engine = create_engine(url, connect_args={"timeout": BUSY_S} if path is not None else {})
    except (NoSuchModuleError, ImportError):
        raise UsageError("a history in PostgreSQL needs the extra: pip install 'shelter-matcher[postgres]'") from None
    if path is not None:
        _tune_sqlite(engine)
    try:
        with telling(url):
            version = version_of(engine)
            if version is None and not create:
                raise HistoryError(f"{shown(url)} holds no history yet; the first run of `matcher nightly` makes one")
            if version != HEAD:
                migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _prepare(path: Path, create: bool) -> None:
    """The file must be there, or be made with rights for its owner alone."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name the file of the history")
    if path.exists():
        return
    if not create:
        raise HistoryError(f"there is no history at {path}; the first run of `matcher nightly` makes it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return  # another process was quicker
    except OSError as error:
        raise HistoryError(f"the history cannot be made at {path}: {error.strerror}") from error


def _tune_sqlite(engine: Engine) -> None:
    """Safe against power cuts; what is deleted is overwritten; a transaction begins when we say so and not before."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=DELETE", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writing") else "BEGIN")


def version_of(engine: Engine) -> str | None:
    """The schema of a database; None where there is no history in it. Raises HistoryError where there is something else."""
    with engine.connect() as connection:
        names = set(inspect(connection).get_table_names())
        if "alembic_version" not in names:
            if names:
                raise HistoryError("the database holds something else than a history; name another one")
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return found[0] if found else None


def migrate(engine: Engine, revision: str = HEAD) -> None:
    """Bring the schema to a revision, in one transaction: a migration that is killed leaves the database as it was.

    Raises HistoryError where a newer version of this program has written it.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with writing(engine) as connection:
        _lock(connection)
        if "alembic_version" not in inspect(connection).get_table_names():
            strict = " STRICT" if engine.dialect.name == "sqlite" else ""
            connection.execute(text(f"CREATE TABLE alembic_version (version_num TEXT NOT NULL PRIMARY KEY){strict}"))
        before = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().first()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, revision)
        except CommandError:
            raise HistoryError(
                f"the history has schema {before!r}, which this version does not know (its own is {HEAD!r}); "
                "a newer version has written it: run that one, or restore a backup"
            ) from None
    log.info("history: schema %s, was %s", revision, before or "none")


def _lock(connection: Connection) -> None:
    """SQLite's write lock is held already; PostgreSQL needs one so that two programs do not migrate at once."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(7316482)"))


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes: all of it or nothing."""
    with engine.connect().execution_options(writing=True) as connection, connection.begin():
        yield connection


@contextmanager
def telling(url: URL) -> Iterator[None]:
    """Turn what the database says into a HistoryError; the statement and its values, which may hold ids, are left out."""
    try:
        yield
    except DBAPIError as error:
        said = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
        raise HistoryError(f"the history in {shown(url)} cannot be used: {said[0]}") from None
    except SQLAlchemyError as error:
        raise HistoryError(f"the history in {shown(url)} cannot be used ({type(error).__name__})") from None


def shown(url: URL) -> str:
    """The address for people: no password."""
    path = path_of(url)
    return str(path) if path is not None else url.render_as_string(hide_password=True)

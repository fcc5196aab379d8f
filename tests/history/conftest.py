"""A history of each kind to test with: SQLite always, PostgreSQL where Debian's packages can start one."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from matcher.history import History, open_history

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name) if path.parent.name.isdigit() else 0)
_numbers = count()


def _as_owner() -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    """The folder of the socket of a PostgreSQL of our own, without network, gone when the tests end."""
    pytest.importorskip("psycopg", reason="the extra [postgres] is not installed")
    if not BINARIES:
        pytest.skip("no PostgreSQL in /usr/lib/postgresql (Debian: apt-get install postgresql)")
    if os.geteuid() == 0 and (shutil.which("runuser") is None or "postgres" not in {user.pw_name for user in pwd.getpwall()}):
        pytest.skip("PostgreSQL must not run as root, and there is no user postgres to run it as")
    folder = Path(tempfile.mkdtemp(prefix="matcher-postgres-", dir="/tmp"))  # a socket's path must be short
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    run = [*_as_owner(), str(BINARIES[-1] / "initdb"), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"]
    made = subprocess.run(run, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if made.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"PostgreSQL's initdb does not work here: {made.stderr.strip()[-200:]}")
    options = f"-k {folder} -c listen_addresses= -c fsync=off -c max_connections=20 -c shared_buffers=8MB"
    control = [*_as_owner(), str(BINARIES[-1] / "pg_ctl"), "-D", str(folder / "data"), "-w", "-t", "290"]
    log = ["-l", str(folder / "log")]
    subprocess.run([*control, *log, "-o", options, "start"], cwd=folder, check=True, capture_output=True, timeout=300)
    try:
        yield folder
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], cwd=folder, check=True, capture_output=True, timeout=300)
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a history of our own may be made."""
    if request.param == "sqlite":
        return str(tmp_path / "history.sqlite")
    return database(request.getfixturevalue("postgres"))


def database(postgres: Path) -> str:
    """A new, empty database."""
    import psycopg

    name = f"history_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(host=str(postgres), user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"postgresql://postgres@/{name}?host={postgres}"


@pytest.fixture
def history(address: str) -> Iterator[History]:
    with open_history(address, create=True) as opened:
        yield opened

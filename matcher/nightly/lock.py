"""One run at a time: a lock that the system takes back when its process ends, however it ends."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from matcher.errors import ExitCode, MatcherError, UsageError

LOCK = ".lock"


class LockHeld(MatcherError):
    """Another run is at work."""

    exit_code = ExitCode.LOCKED


@contextmanager
def locked(outbox: Path) -> Iterator[None]:
    """Hold the outbox's lock. Raises LockHeld at once where another process has it, and UsageError where it cannot be made.

    `flock`: nothing has to be tidied up after a crash. Children do not inherit it, so one that outlives us cannot keep it.
    """
    try:
        import fcntl
    except ImportError:
        raise UsageError("this system has no flock, which the nightly run needs to be alone") from None
    try:
        outbox.mkdir(parents=True, exist_ok=True, mode=0o700)
        number = os.open(outbox / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UsageError(f"the outbox {outbox} cannot be written to: {error.strerror}") from error
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.pread(number, 100, 0).decode("ascii", "replace").strip()
            text = f"another run holds the lock of {outbox}" + (f" ({who})" if who else "")
            raise LockHeld(f"{text}; this one has done nothing") from None
        os.ftruncate(number, 0)
        os.pwrite(number, f"process {os.getpid()} since {dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}\n".encode("ascii"), 0)
        yield
    finally:
        os.close(number)

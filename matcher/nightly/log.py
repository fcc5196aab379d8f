"""What a run tells a machine: a line of JSON for each step, with counts, names of files and codes. Never a person's data.

Households stand there by id at most, and only where a person has to look at just these.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from matcher.errors import UsageError

STDERR = "-"
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class NightLog:
    """Writes events. Fields given to `bind` stand in every later line."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._bound: dict[str, Any] = {}

    def bind(self, **fields: Any) -> None:
        """Let these fields stand in every line from here on."""
        self._bound.update(fields)

    def event(self, name: str, level: str = "info", /, **fields: Any) -> None:
        """One line. A full disk must not end a night whose result could still be published: the line goes to standard error then."""
        now = dt.datetime.now(dt.UTC)
        plain = {"time": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z", "level": level, "event": name, **self._bound, **fields}
        line = (json.dumps(plain, ensure_ascii=False, default=str) + "\n").encode("utf-8", "backslashreplace")
        try:
            os.write(self._number, line)  # in one piece, so that lines of two processes do not mix
        except OSError as error:
            sys.stderr.write(f"the log cannot be written ({error.strerror}): {line.decode('utf-8')}")


class _Forward(logging.Handler):
    """Takes what the library says into the same log."""

    def __init__(self, log: NightLog) -> None:
        super().__init__(logging.INFO)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.event("library", record.levelname.lower(), module=record.name, message=record.getMessage())


@contextmanager
def night_log(file: str, path: Path) -> Iterator[NightLog]:
    """Open the log for the time of a run. file: `-` for standard error, else `path` is added to. Raises UsageError."""
    if file == STDERR:
        number = os.dup(2)
    else:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UsageError(f"the log {path} cannot be written: {error.strerror}") from error
    log = NightLog(number)
    handler, library = _Forward(log), logging.getLogger("matcher")
    before, spread = library.level, library.propagate
    library.addHandler(handler)
    library.setLevel(min(logging.INFO, library.getEffectiveLevel()))
    library.propagate = False
    try:
        yield log
    finally:
        library.removeHandler(handler)
        library.setLevel(before)
        library.propagate = spread
        os.close(number)

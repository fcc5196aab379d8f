"""Remedies looked for in a process of their own: whatever happens there, the plan that was found is published."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import time
from multiprocessing.connection import Connection

from matcher.advise.remedies import UNITS, Found, gathered, search_remedies, told
from matcher.advise.trial import too_large
from matcher.result import Result

log = logging.getLogger(__name__)


def with_remedies_isolated(result: Result, effort: float = 1.0, time_limit_s: float = 300.0) -> tuple[Result, bool]:
    """(the result with remedies, whether somebody interrupted the search for them). See `advise.remedies.with_remedies`.

    What a crash, the clock or an interrupt cuts off is unexamined, and the result says so; what was found before stays.
    """
    if too_large(result, UNITS * effort):
        return told(result, gathered(result, [])), False
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_look, args=(there, result, effort), daemon=True)
    found: list[Found] = []
    stopped = False
    try:
        child.start()
        there.close()
        _listen(here, found, time.monotonic() + time_limit_s)
    except KeyboardInterrupt:
        stopped = True
    finally:
        if child.is_alive():
            child.terminate()
        child.join()
        here.close()
    return told(result, gathered(result, found)), stopped


def _listen(here: Connection, found: list[Found], deadline: float) -> None:
    """Collect what the child finds until it says that it is done."""
    while here.poll(max(0.0, deadline - time.monotonic())):
        try:
            message: Found | None = here.recv()
        except EOFError:
            log.warning("what would help was not examined to the end: the process that looks for it ended by itself")
            return
        if message is None:
            return
        found.append(message)
    log.warning("what would help was not examined to the end: the time limit cut it")


def _look(there: Connection, result: Result, effort: float) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for message in search_remedies(result, effort):
        there.send(message)
    there.send(None)
    there.close()

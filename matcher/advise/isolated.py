"""What would help, looked for in a process of its own: whatever happens there, the plan that was found is published."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from typing import Literal

from matcher.advise.remedies import Found, gathered, out_of_reach, search_remedies, told
from matcher.advise.worth import find_worth
from matcher.result import Result
from matcher.strategies.isolated import confine
from matcher.worth import Worth

CutBy = Literal["interrupt", "time", "crash"]
log = logging.getLogger(__name__)


def with_remedies_isolated(
    result: Result, effort: float = 1.0, time_limit_s: float = 300.0, memory_mib: int | None = None
) -> tuple[Result, CutBy | None]:
    """(the result with remedies, the offers most worth finding and the prices of floors; what cut the search for them off: None where
    effort alone bounded it). See `advise.remedies.with_remedies` and `advise.worth.find_worth`.

    What a crash, the clock, the memory limit or an interrupt cuts off is unexamined, and the result says so; what was found before
    stays.
    """
    if out_of_reach(result, effort):
        return told(result, gathered(result, [])), None
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_look, args=(there, result, effort), daemon=True)
    found: list[Found] = []
    worth: list[Worth] = []
    cut_by: CutBy | None
    try:
        child.start()
        there.close()
        if child.pid is not None:
            confine(child.pid, memory_mib)
        cut_by = _listen(here, found, worth, time.monotonic() + time_limit_s)
    except KeyboardInterrupt:
        cut_by = "interrupt"
    except BrokenPipeError:  # it died before it had read its task
        log.warning("what would help was not examined: the process that looks for it died at once")
        cut_by = "crash"
    finally:
        if child.is_alive():
            child.kill()
        if child.pid is not None:
            child.join()
        here.close()
    return replace(told(result, gathered(result, found)), worth=worth[0] if worth else None), cut_by


def _listen(here: Connection, found: list[Found], worth: list[Worth], deadline: float) -> CutBy | None:
    """Collect what the child finds until it says that it is done."""
    while here.poll(max(0.0, deadline - time.monotonic())):
        try:
            message: Found | Worth | str | None = here.recv()
        except EOFError:
            log.warning("what would help was not examined to the end: the process that looks for it ended by itself")
            return "crash"
        if message is None:
            return None
        if isinstance(message, str):
            log.warning("what would help was not examined to the end: %s in the process that looks for it", message)
            return "crash"
        if isinstance(message, Worth):
            worth.append(message)
        else:
            found.append(message)
    log.warning("what would help was not examined to the end: the time limit cut it")
    return "time"


def _look(there: Connection, result: Result, effort: float) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        for message in search_remedies(result, effort):
            there.send(message)
        there.send(find_worth(result, effort))
    except Exception as error:  # noqa: BLE001  (told by the parent, by kind alone: an error's words may hold what is private)
        there.send(type(error).__name__)
        return
    there.send(None)
    there.close()


def _die_with_parent() -> None:
    """A parent that was killed cannot end its child, whose next word may be minutes away."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)

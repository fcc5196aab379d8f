"""What would help, looked for in a process of its own: whatever happens there, the plan that was found is published."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import Literal

from matcher.advise.remedies import Found, gathered, out_of_reach, search_remedies, told
from matcher.advise.worth import find_worth
from matcher.apart import CLOSED, Apart, Send, apart
from matcher.result import Result
from matcher.worth import Worth

LOOK = "matcher.advise.isolated:look"
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
    found: list[Found] = []
    worth: list[Worth] = []
    cut_by: CutBy | None
    try:
        with apart(memory_mib) as child:
            child.begin(LOOK, result, effort)
            cut_by = _listen(child, found, worth, time.monotonic() + time_limit_s)
    except KeyboardInterrupt:
        cut_by = "interrupt"
    return replace(told(result, gathered(result, found)), worth=worth[0] if worth else None), cut_by


def _listen(child: Apart, found: list[Found], worth: list[Worth], deadline: float) -> CutBy | None:
    """Collect what the child finds until it says that it is done."""
    while (wait := deadline - time.monotonic()) > 0:
        message = child.next(wait)
        if message is None:
            continue
        kind, body = message
        if kind == "found":
            found.append(body)
        elif kind == "worth":
            worth.append(body)
            child.done()
            return None
        else:
            what = "its process died" if kind == CLOSED else f"{body} in the process that looks for it"
            log.warning("what would help was not examined to the end: %s", what)
            return "crash"
    log.warning("what would help was not examined to the end: the time limit cut it")
    return "time"


def look(send: Send, result: Result, effort: float) -> None:
    """The task of that process: sends what it finds as it finds it, and what is worth finding at the end."""
    try:
        for found in search_remedies(result, effort):
            send("found", found)
        worth = find_worth(result, effort)
    except Exception as error:  # noqa: BLE001  (told by the parent, by kind alone: an error's words may hold what is private)
        send("error", type(error).__name__)
        return
    send("worth", worth)

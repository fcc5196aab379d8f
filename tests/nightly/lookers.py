"""What the process that looks for remedies may come to: it imports this module by its name, so that it stands apart from the tests."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from matcher.advise import isolated
from matcher.advise.remedies import search_remedies
from matcher.apart import Send
from matcher.result import Result
from matcher.solver import solve
from tests.runs import DATE, instance_of


def hangs(send: Send, result: Result, effort: float) -> None:
    first = next(iter(search_remedies(result, effort)))
    send("found", first)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)


def crashes(send: Send, result: Result, effort: float) -> None:
    send("found", next(iter(search_remedies(result, effort))))
    os.abort()


def takes_all_memory(send: Send, result: Result, effort: float) -> None:
    hoard = [b""]
    while True:
        hoard.append(bytearray(1 << 26))


def fails(send: Send, result: Result, effort: float) -> None:
    isolated.search_remedies = lambda *_: iter([1 // 0])  # type: ignore[assignment]
    isolated.look(send, result, effort)


def result_of(folder: str) -> Result:
    return solve(instance_of(Path(folder)), date=DATE)

"""Several kernels at once: the same function on ranges of positions, each with its own part of the output."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

BLOCKS = 16


def in_ranges(work: Callable[[int, int], None], count: int, *, least: int = 2000) -> None:
    """Call work(first, last) for ranges that cover 0..count, on two threads where there is enough to do.

    What comes out does not depend on the number of threads: the ranges write to places of their own.
    """
    if count < least:
        work(0, count)
        return
    edges = [count * b // BLOCKS for b in range(BLOCKS + 1)]
    left = iter(range(BLOCKS))
    lock = threading.Lock()
    failed: list[BaseException] = []

    def run() -> None:
        while True:
            with lock:
                b = next(left, None)
            if b is None:
                return
            try:
                work(edges[b], edges[b + 1])
            except BaseException as error:  # noqa: BLE001  (raised again by the caller's thread)
                failed.append(error)
                return

    helper = threading.Thread(target=run)
    helper.start()
    run()
    helper.join()
    if failed:
        raise failed[0]


def processors() -> int:
    """How many of the machine's processors are ours."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not every system tells which of them are ours
        return os.cpu_count() or 1

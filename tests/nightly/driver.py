"""Runs nights in forked processes, so that a campaign of hundreds does not import everything each time: see `world.Driver`.

A line of JSON on standard input is one night; its answer is a line on standard output. The night is the real thing, with its own
search in a process of its own; what is let fail, or killed, is done to it from outside (faults.c, or SIGKILL after a delay).
"""

from __future__ import annotations

import ctypes
import datetime as dt
import gc
import json
import os
import signal
import sys
import threading
import time
from typing import Any

from matcher.errors import MatcherError
from matcher.nightly import night, work  # noqa: F401  (imported before the fork)
from matcher.nightly.config import read_config
from matcher.strategies import exact  # noqa: F401


def main() -> None:
    gc.freeze()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


def answer(order: dict[str, Any]) -> dict[str, Any]:
    """Run one night. order: config, date; at, error for faults.c; delay in seconds for a SIGKILL."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        in_child(order, writer)
    os.close(writer)
    if order.get("delay") is not None:
        threading.Timer(order["delay"], kill, (child,)).start()
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status)
    return {"killed": killed, "code": None if killed else os.WEXITSTATUS(status), **(json.loads(told) if told else {})}


def kill(child: int) -> None:
    try:
        os.kill(child, signal.SIGKILL)
    except ProcessLookupError:
        return  # the night was quicker


def in_child(order: dict[str, Any], writer: int) -> None:
    code, told = 0, {}
    faults = ctypes.CDLL(None) if os.environ.get("FAULT_ROOT") else None
    began = time.monotonic()
    try:
        if faults is not None:
            faults.fault_count.restype = ctypes.c_long
            faults.fault_set(ctypes.c_long(order.get("at") or 0), order.get("error") or 0)
        done = night.run_night(read_config(order["config"]), dt.date.fromisoformat(order["date"]))
        told = {"outcome": done.outcome, "name": done.run.name}
    except MatcherError as error:
        code, told = int(error.exit_code), {"message": str(error)}
    except BaseException as error:  # noqa: BLE001
        code, told = 99, {"message": f"{type(error).__name__}: {error}"}
    if faults is not None:
        told["calls"] = faults.fault_count()
    told["seconds"] = time.monotonic() - began
    os.write(writer, json.dumps(told).encode())
    os._exit(code)


if __name__ == "__main__":
    main()

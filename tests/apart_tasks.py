"""What processes apart are asked to do in tests: they import this module by its name."""

from __future__ import annotations

import os
import sys

from matcher.apart import Send


def echo(send: Send, what: object) -> None:
    send("echo", (os.getpid(), what))


def echo_and_die(send: Send, what: object) -> None:
    send("echo", (os.getpid(), what))
    os._exit(1)


def takes_much(send: Send, mib: int) -> None:
    try:
        bytearray(mib << 20)
    except MemoryError:
        send("refused", None)
    else:
        send("taken", None)


def loaded(send: Send, module: str) -> None:
    send("loaded", module in sys.modules)


def echo_twice(send: Send, what: object) -> None:
    echo(send, what)
    send("echo", "once more")


def dies(send: Send) -> None:
    os._exit(1)


held: list[bytes] = []


def keeps_much(send: Send, mib: int) -> None:
    held.append(b"x" * (mib << 20))
    send("kept", os.getpid())

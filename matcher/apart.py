"""Processes of our own that do tasks apart: native code that crashes, hangs or is deaf to signals cannot take the caller along.

A task names a function of this program and says what it is given; what it finds it sends back as it finds it. Messages are pickles over
pipes between two processes of this program; nothing from outside is ever unpickled.
"""

from __future__ import annotations

import gc
import os
import pickle
import queue
import select
import selectors
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any

from matcher.errors import UsageError

Send = Callable[[str, Any], None]
"""Sends a message, (kind, body), to the caller."""
Tasks = queue.SimpleQueue[tuple[str, tuple[Any, ...]]]
CLOSED = "closed"
"""The kind of message that says that the process is gone."""


class Apart:
    """A process that waits for a task.

    ahead: modules that it may load before there is one, in this order.
    """

    def __init__(self, ahead: Sequence[str] = ()) -> None:
        read_end, write_end = os.pipe()
        command = [sys.executable, "-m", "matcher.apart", *ahead, str(write_end)]
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(p for p in sys.path if p))
        try:
            self.process = subprocess.Popen(  # noqa: S603  (this very interpreter, no shell)
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=(write_end,), start_new_session=True, env=environment
            )
        except BaseException:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        self.limited = False
        self.idle = True
        self.answers = _Reader(read_end)
        self.writer: threading.Thread | None = None

    def confine(self, memory_mib: int | None) -> None:
        """Limit what it may allocate. Address space that it only reserves does not count: compilers reserve much."""
        if memory_mib is None:
            return
        try:
            from resource import RLIMIT_DATA, prlimit
        except ImportError:
            raise UsageError("this system cannot limit the memory of a process; leave the limit out") from None
        self.limited = True
        try:
            prlimit(self.process.pid, RLIMIT_DATA, (memory_mib << 20, memory_mib << 20))
        except ProcessLookupError:
            return  # it is gone already, which the next message says

    def begin(self, function: str, *given: Any) -> None:
        """Have it call "package.module:function" with (send, *given). The task goes out from a thread of its own, so that a process that
        never reads cannot block us."""

        def write() -> None:
            assert self.process.stdin is not None
            try:
                pickle.dump((function, given), self.process.stdin, protocol=5)  # in pieces: a country is more than a GB
                self.process.stdin.flush()
            except (BrokenPipeError, ValueError):
                return  # it is gone; who listens sees the end of file and reports it

        self.idle = False
        self.writer = threading.Thread(target=write, daemon=True)
        self.writer.start()

    def next(self, seconds: float) -> tuple[str, Any] | None:
        """The next message; None on time-out; (CLOSED, None) once it is gone."""
        return self.answers.next(seconds)

    def done(self) -> None:
        """Its last message of this task has come."""
        self.idle = True

    def can_go_on(self) -> bool:
        """Is it fit for another task? One that is limited in memory is not: what it still holds of the last would count for the next."""
        return self.idle and not self.limited and self.process.poll() is None and (self.writer is None or not self.writer.is_alive())

    def end(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()
        self.answers.close()
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            return  # it died before it read all; what it sent has been taken


class _Reader:
    """Length-prefixed pickles from a pipe, with a time-out."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.buffer = bytearray()
        self.selector = selectors.DefaultSelector()
        self.selector.register(number, selectors.EVENT_READ)

    def next(self, seconds: float) -> tuple[str, Any] | None:
        while True:
            if len(self.buffer) >= 8:
                size = int.from_bytes(self.buffer[:8], "big")
                if len(self.buffer) >= 8 + size:
                    with memoryview(self.buffer) as whole, whole[8 : 8 + size] as body:
                        kind, value = pickle.loads(body)  # noqa: S301  (from our own child)
                    del self.buffer[: 8 + size]
                    return str(kind), value
            if not self.selector.select(seconds):
                return None
            chunk = os.read(self.number, 1 << 20)
            if not chunk:
                return CLOSED, None
            self.buffer += chunk

    def close(self) -> None:
        self.selector.close()
        os.close(self.number)


class _AtHand:
    """Processes that wait for the next task, as long as somebody wants them kept."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.keepers = 0
        self.waiting: list[Apart] = []

    def take(self) -> Apart | None:
        with self.lock:
            while self.waiting:
                one = self.waiting.pop()
                if one.process.poll() is None:
                    return one
                one.end()
        return None

    def put(self, one: Apart) -> bool:
        with self.lock:
            kept = self.keepers > 0
            if kept:
                self.waiting.append(one)
        return kept

    def keep(self, more: int) -> None:
        with self.lock:
            self.keepers += more
            left = [] if self.keepers else self.waiting
            if left:
                self.waiting = []
        for one in left:
            one.end()


_at_hand = _AtHand()


@contextmanager
def at_hand(*ahead: str) -> Iterator[None]:
    """While this lasts, processes that are done with a task are kept for the next one, which saves them from being loaded anew.

    ahead: modules; if there are any, a first process starts and loads them now, while the caller still reads.
    """
    _at_hand.keep(1)
    try:
        if ahead:
            _at_hand.put(Apart(ahead))
        yield
    finally:
        _at_hand.keep(-1)


@contextmanager
def apart(memory_mib: int | None = None) -> Iterator[Apart]:
    """A process for one task: one at hand, or a new one. It is ended after it, unless it is done with it and somebody wants it kept."""
    one = _at_hand.take() or Apart()
    try:
        one.confine(memory_mib)
        yield one
    except BaseException:
        one.end()
        raise
    if not (one.can_go_on() and _at_hand.put(one)):
        one.end()


def main() -> None:
    """The process itself: load what may be loaded ahead until there is a task, then do one task after another."""
    *ahead, number = sys.argv[1:]
    for module in ahead:
        if select.select([0], [], [], 0)[0]:
            break
        import_module(module)
    tasks: Tasks = queue.SimpleQueue()
    threading.Thread(target=_read, args=(tasks,), daemon=True).start()
    send = partial(_send, int(number))
    while True:
        function, given = tasks.get()
        module, _, name = function.partition(":")
        getattr(import_module(module), name)(send, *given)
        del given
        gc.collect()  # what is left of it would stand beside the next


def _read(tasks: Tasks) -> None:
    """End of file on standard input means that the parent is gone, or done with us; whatever else ends this, it sees that we are gone."""
    try:
        with open(0, "rb", closefd=False) as pipe:
            while True:
                tasks.put(pickle.load(pipe))  # noqa: S301  (from our own parent)
    finally:
        os._exit(1)


def _send(number: int, kind: str, body: Any) -> None:
    data = pickle.dumps((kind, body))
    data = len(data).to_bytes(8, "big") + data
    while data:
        data = data[os.write(number, data) :]


__all__ = ["CLOSED", "Apart", "Send", "apart", "at_hand"]

if __name__ == "__main__":
    main()

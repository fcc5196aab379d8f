"""Processes of our own that do tasks apart: native code that crashes, hangs or is deaf to signals cannot take the caller along.

A task names a function of this program and says what it is given; what it finds it sends back as it finds it. Messages are pickles over
pipes between two processes of this program; nothing from outside is ever unpickled.
"""

from __future__ import annotations

import fcntl
import gc
import os
import pickle
import queue
import select
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from matcher.errors import UsageError

Send = Callable[[str, Any], None]
"""Sends a message, (kind, body), to the caller."""
CLOSED, TAKEN = "(closed)", "(taken)"
"""The kinds of message that say that the process is gone, and (not seen by the caller) that it begins with the task."""
KEPT_MIB = 1024
"""A process that still holds more than this after a task does no other one."""


class _Process:
    """The other process and the pipes to it. ahead: modules that it may load before there is a task, in this order."""

    def __init__(self, ahead: Sequence[str] = ()) -> None:
        self.limited = False
        self.number = 0
        self.writer: threading.Thread | None = None
        self.unsent: BaseException | None = None
        self.buffer = bytearray()
        read_end, write_end = map(_beyond_the_standard_ones, os.pipe())
        command = [sys.executable, "-P", "-m", "matcher.apart", *ahead, str(write_end)]
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(p or str(Path.cwd()) for p in sys.path))
        try:
            self.popen = subprocess.Popen(  # noqa: S603  (this very interpreter, no shell)
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=(write_end,), start_new_session=True, env=environment
            )
        except BaseException:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        self.read_end = read_end
        self.selector = selectors.DefaultSelector()
        self.selector.register(read_end, selectors.EVENT_READ)

    def confine(self, memory_mib: int | None) -> None:
        if memory_mib is None:
            return
        try:
            from resource import RLIMIT_DATA, prlimit
        except ImportError:
            raise UsageError("this system cannot limit the memory of a process; leave the limit out") from None
        self.limited = True
        try:
            prlimit(self.popen.pid, RLIMIT_DATA, (memory_mib << 20, memory_mib << 20))
        except ProcessLookupError:
            return  # it is gone already, which the next message says

    def give(self, function: str, given: Sequence[Any]) -> None:
        """From a thread of its own, so that a process that never reads cannot block us."""
        self.number += 1
        task = (self.number, function, given)

        def write() -> None:
            assert self.popen.stdin is not None
            try:
                pickle.dump(task, self.popen.stdin, protocol=5)  # in pieces: a country is more than a GB
                self.popen.stdin.flush()
            except (BrokenPipeError, ValueError):
                return  # it is gone; who listens sees the end of file and reports it
            except BaseException as error:  # noqa: BLE001  (raised again by who listens)
                self.unsent = error
                self.popen.kill()

        self.writer = threading.Thread(target=write, daemon=True)
        self.writer.start()

    def next(self, seconds: float) -> tuple[int, str, Any] | None:
        """(number of the task, kind, body), None on time-out."""
        while True:
            if len(self.buffer) >= 8:
                size = int.from_bytes(self.buffer[:8], "big")
                if len(self.buffer) >= 8 + size:
                    with memoryview(self.buffer) as whole, whole[8 : 8 + size] as body:
                        message: tuple[int, str, Any] = pickle.loads(body)  # noqa: S301  (from our own child)
                    del self.buffer[: 8 + size]
                    return message
            if not self.selector.select(seconds):
                return None
            chunk = os.read(self.read_end, 1 << 20)
            if not chunk:
                return self.number, CLOSED, None
            self.buffer += chunk

    @property
    def lives(self) -> bool:
        return self.popen.poll() is None

    def is_fit(self) -> bool:
        """For another task. One that is limited in memory is not: what it still holds of the last would count for the next."""
        if self.limited or not self.lives:
            return False
        if self.writer is not None:
            self.writer.join(1.0)  # it is at its end, for the task has been done
        return self.writer is None or not self.writer.is_alive()

    def end(self) -> None:
        """Kill it."""
        try:
            self.popen.kill()
            self.popen.wait()
        finally:
            self.selector.close()
            os.close(self.read_end)
            assert self.popen.stdin is not None
            with suppress(BrokenPipeError):  # it died before it read all; what it sent has been taken
                self.popen.stdin.close()


def _beyond_the_standard_ones(number: int) -> int:
    """The same file under a number that the other process does not have for something else, where ours has its standard ones closed."""
    if number > 2:
        return number
    try:
        return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(number)


class _AtHand:
    """Processes that wait for the next task, as long as somebody wants them kept."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.keepers = 0
        self.waiting: list[_Process] = []

    def take(self) -> _Process | None:
        with self.lock:
            while self.waiting:
                process = self.waiting.pop()
                if process.lives:
                    return process
                process.end()
        return None

    def wait(self, process: _Process) -> None:
        with self.lock:
            self.waiting.append(process)

    def put(self, process: _Process) -> bool:
        with self.lock:
            kept = self.keepers > 0
            if kept:
                self.waiting.append(process)
        return kept

    def keep(self, more: int) -> None:
        with self.lock:
            self.keepers += more
            left = [] if self.keepers else self.waiting
            if left:
                self.waiting = []
        for process in left:
            process.end()


_at_hand = _AtHand()


@contextmanager
def at_hand(*ahead: str, keep: bool = True) -> Iterator[None]:
    """While this lasts, processes that are done with a task are kept for the next one, whoever of this process asks for it: that saves
    them from being loaded anew. Not `keep`: those alone that have not had a task yet.

    ahead: modules; if there are any and there is a second processor, a first process starts and loads them now, while the caller reads.
    """
    _at_hand.keep(keep)
    try:
        if ahead and _processors() > 1:
            _at_hand.wait(_Process(ahead))
        yield
    finally:
        _at_hand.keep(-keep)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Apart:
    """A process for one task."""

    def __init__(self, process: _Process | None, memory_mib: int | None) -> None:
        self.waited = process is not None
        self.memory_mib = memory_mib
        self.process = process or _Process()
        self.taken = self.is_done = False
        self.task: tuple[str, Sequence[Any]] | None = None

    @property
    def pid(self) -> int:
        """Of the process that has the task now."""
        return self.process.popen.pid

    def begin(self, function: str, *given: Any) -> None:
        """Have it call "package.module:function" with (send, *given). Returns at once."""
        self.taken = self.is_done = False
        self.task = (function, given)
        self.process.give(*self.task)

    def next(self, seconds: float) -> tuple[str, Any] | None:
        """The next message; None on time-out; (CLOSED, None) once it is gone. Raises what kept the task from being sent.

        A process that had waited for the task may have died of that; a new one takes its place.
        """
        end = time.monotonic() + seconds
        while (message := self.process.next(max(0.0, end - time.monotonic()))) is not None:
            number, kind, body = message
            if kind == CLOSED:
                if self.process.unsent is not None:
                    raise self.process.unsent
                if self.taken or not self.waited or self.task is None:
                    return CLOSED, None
                self._begin_anew(*self.task)
            elif number != self.process.number:  # of a task that is over
                continue
            elif kind == TAKEN:
                self.taken, self.task = True, None
            else:
                return kind, body
        return None

    def _begin_anew(self, function: str, given: Sequence[Any]) -> None:
        self.process.end()
        self.waited = False
        self.process = _Process()
        self.process.confine(self.memory_mib)
        self.process.give(function, given)

    def done(self) -> None:
        """Its last message of this task has come."""
        self.is_done = True


@contextmanager
def apart(memory_mib: int | None = None) -> Iterator[Apart]:
    """A process for one task: one at hand, or a new one. It is ended after it, unless it is done with it and somebody wants it kept.

    memory_mib: the most that it may allocate. Address space that it only reserves does not count: compilers reserve much.
    """
    one, kept = Apart(_at_hand.take(), memory_mib), False
    try:
        one.process.confine(memory_mib)
        yield one
        kept = one.is_done and one.process.is_fit() and _at_hand.put(one.process)
    finally:
        if not kept:
            one.process.end()


Tasks = queue.SimpleQueue[tuple[int, str, tuple[Any, ...]]]


def main() -> None:
    """The process itself: load what may be loaded ahead until there is a task, then do one task after another."""
    *ahead, pipe = sys.argv[1:]
    for module in ahead:
        if select.select([0], [], [], 0)[0]:
            break
        try:
            import_module(module)
        except Exception:  # noqa: BLE001  (a task that needs it meets it again, and says so)
            break
    tasks: Tasks = queue.SimpleQueue()
    threading.Thread(target=_read, args=(tasks,), daemon=True).start()
    while True:
        number, function, given = tasks.get()
        send = partial(_send, int(pipe), number)
        send(TAKEN, None)
        module, _, name = function.partition(":")
        getattr(import_module(module), name)(send, *given)
        del given
        gc.collect()  # what is left of it would stand beside the next
        if _held_mib() > KEPT_MIB:
            os._exit(0)


def _read(tasks: Tasks) -> None:
    """End of file on standard input means that the parent is gone, or done with us; whatever else ends this, it sees that we are gone."""
    try:
        with open(0, "rb", closefd=False) as pipe:
            while True:
                tasks.put(pickle.load(pipe))  # noqa: S301  (from our own parent)
    except (EOFError, pickle.UnpicklingError):
        os._exit(1)
    except BaseException as error:  # noqa: BLE001  (its kind alone: the words may hold what is private)
        os.write(2, f"a task could not be read: {type(error).__name__}\n".encode())
        os._exit(1)


def _send(pipe: int, number: int, kind: str, body: Any) -> None:
    message = pickle.dumps((number, kind, body))
    for data in (memoryview(len(message).to_bytes(8, "big")), memoryview(message)):
        while data:
            data = data[os.write(pipe, data) :]


def _held_mib() -> int:
    """Resident memory now; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20
    except OSError:
        return 0


__all__ = ["CLOSED", "Apart", "Send", "apart", "at_hand"]

if __name__ == "__main__":
    main()

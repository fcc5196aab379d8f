"""Processes apart: kept where somebody wants them, gone where nobody does, and never in the way of what is asked next."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from matcher.apart import CLOSED, Apart, apart, at_hand
from tests.runs import ROOT, environ

TASKS = "tests.apart_tasks:"
SLACK_S = 60.0


def ask(child: Apart, task: str, *given: Any) -> Any:
    """The body of the one message that the task answers with."""
    child.begin(TASKS + task, *given)
    message = child.next(SLACK_S)
    assert message is not None
    kind, body = message
    if kind != CLOSED:
        child.done()
    return kind if body is None else body


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_process_is_gone_after_its_task_where_nobody_wants_it_kept() -> None:
    with apart() as child:
        pid, what = ask(child, "echo", {"x": (1, 2)})
    assert what == {"x": (1, 2)} and pid != os.getpid() and is_gone(pid)


def test_a_process_that_is_kept_does_the_next_task_and_is_gone_at_the_end() -> None:
    with at_hand():
        with apart() as child:
            first, _ = ask(child, "echo", 1)
        with at_hand(), apart() as child:
            second, what = ask(child, "echo", 2)
        assert first == second and what == 2 and not is_gone(first)
        with apart() as one, apart() as other:
            both = {ask(one, "echo", 3)[0], ask(other, "echo", 4)[0]}
        assert first in both and len(both) == 2
    assert all(map(is_gone, both))


@pytest.mark.parametrize("ends", ["dies", "is not done", "fails here", "is limited"])
def test_what_may_not_go_on_does_not(ends: str) -> None:
    with at_hand():
        with suppress(KeyError), apart(2048 if ends == "is limited" else None) as child:
            pid = child.process.pid
            child.begin(TASKS + ("echo_and_die" if ends == "dies" else "echo"), 1)
            assert child.next(SLACK_S) == ("echo", (pid, 1))
            if ends != "is not done":
                child.done()
            if ends == "dies":
                child.process.wait(SLACK_S)
            if ends == "fails here":
                raise KeyError
        assert is_gone(pid)
        with apart() as child:
            assert ask(child, "echo", 3)[0] != pid


def test_a_process_that_died_while_it_waited_is_replaced() -> None:
    with at_hand():
        with apart() as child:
            pid, _ = ask(child, "echo", 1)
        os.kill(pid, 9)
        child.process.wait(SLACK_S)
        with apart() as child:
            assert ask(child, "echo", 2)[1] == 2


def test_a_limit_of_memory_holds_in_a_process_that_was_at_hand() -> None:
    with at_hand("matcher.errors"):
        with apart(1024) as child:
            assert ask(child, "takes_much", 2048) == "refused"
        with apart() as child:
            assert ask(child, "takes_much", 1) == "taken"


def test_modules_are_loaded_ahead_while_there_is_no_task() -> None:
    seconds, loaded = 1.0, False
    while not loaded and seconds < SLACK_S:  # a task that comes earlier goes first
        with at_hand("matcher.strategies.registry"):
            time.sleep(seconds)
            with apart() as child:
                loaded = ask(child, "loaded", "matcher.strategies.registry")
        seconds *= 2
    assert loaded


def test_many_at_once_do_not_mix_up_their_answers() -> None:
    answers: list[Any] = []

    def work(number: int) -> None:
        for k in range(5):
            with apart() as child:
                answers.append((ask(child, "echo", (number, k))[1], (number, k)))

    with at_hand():
        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(answers) == 15 and all(said == asked for said, asked in answers)


PARENT = """
import sys, time
from matcher.apart import apart, at_hand
with at_hand("matcher.errors"):
    with apart() as child:
        child.begin("tests.apart_tasks:echo", 1)
        print(child.next(60)[1][0], flush=True)
        child.done()
    time.sleep(600)
"""


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to look for the process")
def test_a_process_that_waits_does_not_outlive_a_parent_that_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, env=environ(), cwd=ROOT)
    assert parent.stdout is not None
    with parent.stdout:
        child = Path(f"/proc/{int(parent.stdout.readline())}/stat")
    assert child.exists()
    parent.kill()
    parent.wait(timeout=SLACK_S)
    deadline = time.monotonic() + SLACK_S
    while child.exists() and child.read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not child.exists() or child.read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"

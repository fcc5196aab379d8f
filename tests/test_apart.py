"""Processes apart: kept where somebody wants them, gone where nobody does, and never in the way of what is asked next."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import threading
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from matcher import apart as module
from matcher.apart import CLOSED, Apart, apart, at_hand
from matcher.cli.app import app
from tests.runs import ROOT, environ, is_alive

FOLDER = ROOT / "instances" / "hard-night"
publishing = import_module("matcher.publish")  # the package names its function so
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
            pid = child.pid
            child.begin(TASKS + ("echo_and_die" if ends == "dies" else "echo"), 1)
            assert child.next(SLACK_S) == ("echo", (pid, 1))
            if ends != "is not done":
                child.done()
            if ends == "dies":
                child.process.popen.wait(SLACK_S)
            if ends == "fails here":
                raise KeyError
        assert is_gone(pid)
        with apart() as child:
            assert ask(child, "echo", 3)[0] != pid


@pytest.mark.parametrize("seen", ["before it is taken", "after"])
def test_a_process_that_died_while_it_waited_is_replaced(seen: str) -> None:
    with at_hand():
        with apart() as child:
            pid, _ = ask(child, "echo", 1)
        if seen == "before it is taken":
            os.kill(pid, 9)
            child.process.popen.wait(SLACK_S)
        with apart() as child:
            if seen == "after":
                os.kill(child.pid, 9)
            other, what = ask(child, "echo", 2)
            assert what == 2 and other not in (pid, os.getpid())


def test_a_process_that_dies_of_its_task_is_not_replaced() -> None:
    with at_hand():
        with apart() as child:
            pid, _ = ask(child, "echo", 1)
        with apart() as child:
            assert child.pid == pid and ask(child, "dies") == CLOSED


def test_what_is_said_of_a_task_that_is_over_is_no_answer_to_the_next() -> None:
    with at_hand():
        with apart() as child:
            pid, _ = ask(child, "echo_twice", "first")
        with apart() as child:
            assert ask(child, "echo", "second") == (pid, "second")


def test_a_task_that_cannot_be_sent_is_an_error_here() -> None:
    with apart() as child, pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        ask(child, "echo", lambda: None)
    assert is_gone(child.pid)


def test_what_cannot_be_loaded_ahead_is_no_matter(capfd: pytest.CaptureFixture[str]) -> None:
    with at_hand("tests.no_such_module"):
        time.sleep(1.0)
        with apart() as child:
            assert ask(child, "echo", 1)[1] == 1
    assert capfd.readouterr().err == ""


def test_what_still_holds_much_does_no_other_task(monkeypatch: pytest.MonkeyPatch) -> None:
    with at_hand():
        with apart() as child:
            pid = ask(child, "keeps_much", 1100)
        with apart() as child:
            assert ask(child, "echo", 1)[0] != pid


def test_a_process_is_kept_for_its_first_task_alone_where_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_processors", lambda: 2)
    with at_hand("matcher.errors", keep=False):
        (waits,) = module._at_hand.waiting
        with apart() as child:
            assert ask(child, "echo", 1)[0] == waits.popen.pid
        assert not waits.lives and module._at_hand.waiting == []
    monkeypatch.setattr(module, "_processors", lambda: 1)
    with at_hand("matcher.errors"):
        assert module._at_hand.waiting == []


SHUT = """
import os, sys
from matcher.apart import apart
told = os.dup(2)
for number in map(int, sys.argv[1:]):
    os.close(number)
with apart() as child:
    child.begin("tests.apart_tasks:echo", 1)
    os.write(told, repr(child.next(60)[1][1]).encode())
"""


@pytest.mark.parametrize("shut", ["0", "1", "01", "012"])
def test_it_works_where_standard_files_are_closed(shut: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHUT, *shut], env=environ(), cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert (done.stderr, done.returncode) == ("1", 0)


class TestOnTheCommandLine:
    """What `matcher solve` makes of it."""

    def test_search_and_remedies_are_one_process_that_is_gone_before_anything_is_written(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        started, asked, left = [], [], []
        start, give, write = module._Process.__init__, module._Process.give, publishing.publish

        def starts(process: Any, ahead: Any = ()) -> None:
            start(process, ahead)
            started.append(process)

        def gives(process: Any, function: str, given: Any) -> None:
            asked.append(function)
            give(process, function, given)

        def writes(*given: Any, **options: Any) -> Any:
            left.extend(process for process in started if process.lives)
            return write(*given, **options)

        monkeypatch.setattr(module._Process, "__init__", starts)
        monkeypatch.setattr(module._Process, "give", gives)
        monkeypatch.setattr(publishing, "publish", writes)
        monkeypatch.setattr(module, "_processors", lambda: 2)
        done = CliRunner().invoke(app, ["solve", str(FOLDER), "--out", str(tmp_path / "out"), "--date", "2026-11-22"])
        assert done.exit_code == 0, done.output
        assert asked == ["matcher.strategies.child:search", "matcher.advise.isolated:look"]
        assert len(started) == 1 and left == []
        apart_alone = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["peak_memory_mib"]
        assert apart_alone >= 100

    def test_bad_input_ends_it_without_a_word(self, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        line = [sys.executable, "-m", "matcher.cli.app", "solve", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
        done = subprocess.run(line, env=environ(), cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 3 and "Traceback" not in done.stderr and "households.csv" in done.stderr


def test_a_limit_of_memory_holds_in_a_process_that_was_at_hand() -> None:
    with at_hand():
        with apart() as child:
            pid, _ = ask(child, "echo", 1)
        with apart(1024) as child:
            assert child.pid == pid and ask(child, "takes_much", 2048) == "refused"
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
        child = int(parent.stdout.readline())
    assert is_alive(child)
    parent.kill()
    parent.wait(timeout=SLACK_S)
    deadline = time.monotonic() + SLACK_S
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(child)

"""A run's folder is all or nothing: whatever fails while it is written, the folder holds the old run or the new one, whole."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from matcher.errors import MatcherError, UsageError
from matcher.problem import Problem
from matcher.publish import publish
from matcher.result import Result
from matcher.solver import solve
from matcher.verify import verify
from tests.runs import DATE, INSTANCES, files_of, generated, instance_of, solved

OLD, NEW = generated(60, 1, 0.8, 0.6), INSTANCES / "hard-night"
OPERATIONS = ("open", "fdopen", "fsync", "rename", "mkdir", "close")


class Fails:
    """Lets all calls of one function of `os` pass but one, which raises. Removing what is not needed any more is not counted."""

    def __init__(self, name: str, at: int | None, error: BaseException) -> None:
        self.real: Callable[..., Any] = getattr(os, name)
        self.at, self.error, self.calls = at, error, 0

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        if Path(sys._getframe(1).f_code.co_filename).name == "shutil.py":
            return self.real(*arguments, **options)
        self.calls += 1
        if self.calls - 1 == self.at:
            raise self.error
        return self.real(*arguments, **options)


def full_disk() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below, hidden ones too; run.json by name only."""
    found = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    return {name: b"" if name.endswith("run.json") else data for name, data in found.items()}


def result_old() -> Result:
    return solved(OLD)


def result_new() -> Result:
    return solved(NEW)


def count_calls(monkeypatch: pytest.MonkeyPatch, name: str, folder: Path, replaces: bool) -> int:
    """How often a publication that goes well calls it."""
    folder.mkdir()
    if replaces:
        publish(result_old(), folder / "out")
    with monkeypatch.context() as patch:
        counted = Fails(name, None, full_disk())
        patch.setattr(os, name, counted)
        publish(result_new(), folder / "out")
    return counted.calls


@pytest.mark.parametrize("replaces", [False, True], ids=["new folder", "earlier run there"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_failure_at_any_call_leaves_the_old_run_or_the_new_one(
    name: str, replaces: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = count_calls(monkeypatch, name, tmp_path / "count", replaces)
    expected_new = tree(tmp_path / "count")
    whole = 0
    for at in range(calls):
        parent = tmp_path / f"at-{at}"
        parent.mkdir()
        if replaces:
            publish(result_old(), parent / "out")
        expected_old = tree(parent)
        with monkeypatch.context() as patch:
            patch.setattr(os, name, Fails(name, at, full_disk()))
            try:
                publish(result_new(), parent / "out")
            except (OSError, MatcherError):
                pass
            else:
                whole += 1
                assert tree(parent) == expected_new, f"no error, but not the new run, at call {at} of {name}"
        found = tree(parent)
        assert found in (expected_old, expected_new), f"call {at} of {name}: {sorted(set(found) ^ set(expected_new))}"
        left = {path.name for path in parent.iterdir()}
        assert left <= {"out"}, f"call {at} of {name} left {left}"
    assert calls >= {"rename": 1 + replaces, "mkdir": 1, "close": 2}.get(name, 6)
    assert whole < calls, "no failure was ever seen"


@pytest.mark.parametrize("name", ["rename", "fsync", "open"])
def test_an_interrupt_at_any_call_leaves_the_old_run_or_the_new_one(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = count_calls(monkeypatch, name, tmp_path / "count", True)
    expected_new = tree(tmp_path / "count")
    for at in range(calls):
        parent = tmp_path / f"at-{at}"
        parent.mkdir()
        publish(result_old(), parent / "out")
        expected_old = tree(parent)
        with monkeypatch.context() as patch:
            patch.setattr(os, name, Fails(name, at, KeyboardInterrupt()))
            with pytest.raises(KeyboardInterrupt):
                publish(result_new(), parent / "out")
        found = tree(parent)
        assert found in (expected_old, expected_new), f"call {at} of {name}: {sorted(found)}"


def test_the_new_run_replaces_all_of_the_old_one(tmp_path: Path) -> None:
    """hard-night has protected households; a run without them must not keep their file."""
    assert "placements_protected.csv" in files_of(publish(result_new(), tmp_path / "out"))
    other = solve(instance_of(generated(20, 5, 1.0, 0.0)), date=DATE)
    secret = any(row.protected for row in other.placements)
    files = files_of(publish(other, tmp_path / "out"))
    assert ("placements_protected.csv" in files) is secret
    assert files == files_of(publish(other, tmp_path / "elsewhere"))
    assert {path.name for path in tmp_path.iterdir()} == {"out", "elsewhere"}
    assert verify(generated(20, 5, 1.0, 0.0), tmp_path / "out").right


def test_modes_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        out = publish(result_new(), tmp_path / "out")
    finally:
        os.umask(before)
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()}
    assert len(modes) >= 7 and set(modes.values()) == {0o600}, modes


@pytest.mark.parametrize(
    "foreign", ["notes.txt", "summary.json.bak", "sub/file", ".hidden", "households.csv"], ids=lambda name: name.replace("/", "-")
)
@pytest.mark.parametrize("with_run", [False, True], ids=["alone", "beside a run"])
def test_a_folder_with_anything_else_is_left_alone(foreign: str, with_run: bool, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if with_run:
        publish(result_old(), out)
    (out / foreign).parent.mkdir(parents=True, exist_ok=True)
    (out / foreign).write_text("mine", encoding="utf-8")
    before = tree(tmp_path)
    with pytest.raises(UsageError, match="out"):
        publish(result_new(), out)
    assert tree(tmp_path) == before
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def test_a_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError):
        publish(result_new(), tmp_path / "out")
    assert tree(tmp_path) == {"out": b"mine"}


def test_an_empty_folder_and_one_that_is_not_there_yet_are_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("empty", "new", "deep/er/still"):
        assert len(files_of(publish(result_new(), tmp_path / name))) == 7


def test_rests_of_a_killed_run_do_not_stop_the_next(tmp_path: Path) -> None:
    """The same process id may come again."""
    rest = tmp_path / f".out.staging-{os.getpid()}"
    rest.mkdir()
    (rest / "placements.csv").write_text("half", encoding="utf-8")
    out = publish(result_new(), tmp_path / "out")
    assert files_of(out)["placements.csv"] != b"half"
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def test_a_link_to_a_folder_is_followed_and_kept(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    publish(result_new(), tmp_path / "out")
    assert (tmp_path / "out").is_symlink() and (tmp_path / "real" / "summary.json").exists()


def test_a_result_of_a_bare_problem_cannot_be_published(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        publish(solve(Problem.from_matrix([[1]], [[1]], [1])), tmp_path / "out")
    assert not (tmp_path / "out").exists()

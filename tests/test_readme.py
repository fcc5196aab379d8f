"""What README.md and docs/cli.md show is true: every command runs, every Python block runs, every option is described."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

from matcher.cli.app import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CLI = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    return [body for name, body in FENCE.findall(page) if name == language]


def commands(page: str) -> list[list[str]]:
    """The lines of the shell blocks, split into words, comments taken off."""
    lines = "\n".join(blocks(page, "sh")).splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A place to run in where instances/ is, as in a clone."""
    (tmp_path / "instances").symlink_to(ROOT / "instances", target_is_directory=True)
    return tmp_path


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in paths if path))
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def test_every_block_of_the_readme_has_a_language_that_is_tested() -> None:
    assert {name for name, _ in FENCE.findall(README)} == {"sh", "python"}
    assert {name for name, _ in FENCE.findall(CLI)} == {"sh"}


def test_the_make_lines_are_targets() -> None:
    wanted = [words[1] for words in commands(README) if words[0] == "make"]
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"demo", "test"} <= set(wanted) <= targets


@pytest.mark.parametrize("page", [README, CLI], ids=["README.md", "docs/cli.md"])
def test_every_command_runs_as_it_stands(page: str, folder: Path) -> None:
    lines = [words for words in commands(page) if words[0] != "make"]
    assert len(lines) >= 5
    for program, *arguments in lines:
        assert program == "matcher"
        done = run(["-m", "matcher.cli.app", *arguments], folder)
        assert done.returncode == 0, f"matcher {shlex.join(arguments)}\n{done.stdout}\n{done.stderr}"
        assert done.stdout


def test_every_python_block_of_the_readme_runs(folder: Path) -> None:
    code = blocks(README, "python")
    assert code
    for block in code:
        done = run(["-W", "error", "-c", block], folder)
        assert done.returncode == 0, done.stderr
        assert "optimal" in done.stdout
        assert (folder / "out" / "library" / "placements.csv").exists()


def test_every_file_that_the_readme_links_to_is_there() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", README) if "://" not in link]
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []


def sections() -> dict[str, str]:
    """Text of each part of docs/cli.md by the command that it is about ("" is the program itself)."""
    parts = re.split(r"^## ", CLI, flags=re.MULTILINE)[1:]
    found = {}
    for part in parts:
        title = part.splitlines()[0]
        if title == "The program":
            found[""] = part
        elif title.startswith("matcher "):
            words = itertools.takewhile(lambda word: re.fullmatch(r"[a-z-]+", word) and not word.startswith("-"), title.split()[1:])
            found[" ".join(words)] = part
    return found


def parameters() -> list[tuple[str, Any]]:
    """(command, parameter) of every option and argument of the command line."""
    own = [("", parameter) for parameter in typer.main.get_command(app).params]
    return own + [(name, parameter) for name, command in every_command().items() for parameter in command.params]


def every_command() -> dict[str, Any]:
    """Every command by its words; those of a group each on its own (`runs list`)."""
    root: Any = typer.main.get_command(app)
    found = {}
    for name, command in root.commands.items():
        inner = getattr(command, "commands", None)
        found.update({name: command} if inner is None else {f"{name} {word}": one for word, one in inner.items()})
    return found


def test_every_command_has_its_part_of_the_reference_and_no_other() -> None:
    assert set(sections()) - {""} == set(every_command())


@pytest.mark.parametrize(("command", "parameter"), parameters(), ids=lambda value: str(getattr(value, "name", value)))
def test_every_option_is_described_with_its_default(command: str, parameter: Any) -> None:
    part = sections()[command]
    if parameter.param_type_name == "argument":
        assert parameter.metavar in part.splitlines()[0].split()
        return
    for name in (*parameter.opts, *parameter.secondary_opts):
        row = [line for line in part.splitlines() if line.startswith("|") and f"`{name}`" in line.split("|")[1]]
        assert len(row) == 1, f"{command} {name} has {len(row)} rows in docs/cli.md"
        default = parameter.default
        if isinstance(default, str | int | float) and not isinstance(default, bool) and default != "":
            shown = re.findall(r"`([^`]+)`", row[0].split("|")[2])
            assert default in [type(default)(text) for text in shown], f"{command} {name}: the default is {default!r}"


def test_the_reference_names_no_option_that_does_not_exist() -> None:
    for command, part in sections().items():
        rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `-")]
        known = {name for owner, p in parameters() if owner == command for name in (*p.opts, *p.secondary_opts)}
        assert rows
        assert {name for row in rows for name in re.findall(r"`(-[^`]*)`", row)} <= known

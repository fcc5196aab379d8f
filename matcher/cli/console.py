"""Printing and exit codes shared by all commands: results to stdout, everything else to stderr."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from matcher.errors import ContradictionError, ExitCode, InputError, MatcherError, UsageError

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Encoding = Annotated[str, typer.Option("--encoding", help="Encoding of the CSV files, e.g. cp1251. Never guessed.")]
Lang = Annotated[str, typer.Option("--lang", envvar="MATCHER_LANG", help="Language of what people read: en or uk.")]
Instance = Annotated[
    Path, typer.Argument(metavar="DIR", help="Folder with households.csv, accommodations.csv and the other files, or a workbook .xlsx.")
]

Mapping = Annotated[
    str | None,
    typer.Option("--mapping", metavar="M", help="DIR is an export in another form: a mapping file, or the name of a shipped one."),
]
Others = Annotated[
    Path | None, typer.Option("--with", metavar="DIR", help="Folder or workbook in the format, for tables that the export lacks.")
]


@contextmanager
def guard(as_json: bool = False) -> Iterator[None]:
    """Turn errors into a message on stderr (or JSON on stdout) and the exit code that FORMAT.md gives them."""
    try:
        yield
    except MatcherError as error:
        if as_json:
            print_json({"error": _plain(error)})
        typer.echo(_sentence(error), err=True)
        raise typer.Exit(int(error.exit_code)) from None
    except KeyboardInterrupt:
        _interrupted()
    except (typer.Exit, typer.Abort):
        raise
    except BrokenPipeError:  # whoever reads our output has seen enough, as in `matcher verify … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(int(ExitCode.DONE)) from None
    except Exception as error:  # noqa: BLE001  (the last resort: everything else has been named above)
        if signal.getsignal(signal.SIGINT) is stopping:
            _interrupted()  # a native import that is interrupted raises something else
        # A fault of the program. The message of a foreign exception may quote data, so only its kind and place are shown.
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        told = f"A fault of the program ({type(error).__name__} at {place}); nothing was written. Please report it."
        if as_json:
            print_json({"error": {"kind": "InternalError", "exit_code": int(ExitCode.INTERNAL), "message": told}})
        typer.echo(told, err=True)
        if os.environ.get("MATCHER_DEBUG"):
            traceback.print_exc()
        raise typer.Exit(int(ExitCode.INTERNAL)) from None


def stopping(_number: int, _frame: object) -> None:
    """Handler of signals once a stop was asked for: what is left takes a moment, and asking again changes nothing."""


def _interrupted() -> NoReturn:
    typer.echo("Interrupted; nothing was written.", err=True)
    raise typer.Exit(int(ExitCode.INTERRUPTED)) from None


def _sentence(error: MatcherError) -> str:
    return str(error) if isinstance(error, InputError) else f"Error: {error}"


def _plain(error: MatcherError) -> dict[str, Any]:
    body: dict[str, Any] = {"kind": type(error).__name__, "exit_code": int(error.exit_code)}
    if isinstance(error, InputError):
        return {**body, "faults": plain_faults(error)}
    if isinstance(error, ContradictionError):
        body["ids"] = list(error.ids)
    return {**body, "message": str(error)}


def plain_faults(error: InputError) -> list[dict[str, Any]]:
    """The faults of an error as JSON data."""
    return [{"file": f.file, "line": f.line, "column": f.column, "code": f.code, "message": f.message} for f in error.faults]


def print_json(data: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False))


def folder_of(path: Path) -> Path:
    """The folder, or the workbook, of an instance. Raises UsageError for anything else."""
    from matcher.io.sources import is_workbook

    if path.is_dir() or (is_workbook(path) and path.is_file()):
        return path
    raise UsageError(f"{path} is not a folder" + (", nor a workbook that is there" if is_workbook(path) else ""))


def source_of(path: Path, mapping: str | None, others: Path | None) -> dict[str, Any]:
    """What an instance is read from, as `read_instance` takes it. Raises UsageError where it is not there."""
    if mapping is None and others is not None:
        raise UsageError("--with goes with --mapping")
    if mapping is None:
        return {"source": folder_of(path)}
    if not path.exists():
        raise UsageError(f"{path} is not there")
    return {"source": path, "mapping": mapping, "others": None if others is None else folder_of(others)}


def day_of(text: str | None) -> dt.date:
    """The day that `--date` names; today where it was left out. Raises UsageError."""
    try:
        day = dt.datetime.now().astimezone().date() if text is None else dt.date.fromisoformat(text)
        if text is not None and text != day.isoformat():
            raise ValueError(text)
    except ValueError:
        raise UsageError(f"--date {text!r} is not a date like 2026-11-22") from None
    return day


def policy_beside(path: Path) -> Path | None:
    """The policy file in an instance's folder, if there is one. One beside a workbook is not taken to belong to it, and that is said."""
    if path.is_dir():
        return path / "policy.toml" if (path / "policy.toml").exists() else None
    if (path.parent / "policy.toml").exists():
        typer.echo("Note: the policy.toml beside the workbook is not used unless you name it with --policy.", err=True)
    return None


def language(lang: str) -> str:
    """The language, once it is known that there are words in it. Raises UsageError."""
    from matcher.i18n import translator

    return translator(lang).lang


def is_terminal() -> bool:
    """Is a person looking at stderr, and may the line be redrawn?"""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

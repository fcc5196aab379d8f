"""Faults and the error tree. Every error that a user can meet has an exit code (FORMAT.md, last table)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What the command line ends with."""

    DONE = 0
    INTERNAL = 1
    USAGE = 2
    INPUT = 3
    CONTRADICTION = 4
    NO_PLAN = 5
    TOO_MANY_UNPLACED = 6
    LOCKED = 75
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault of one row: where it stands, and what to do about it.

    file: name as the user knows it (`households.csv`, or a frame's name). line: 1-based line in the file where the row
    starts (a frame: 1-based position of the row); 0 where the whole file is meant. column: header name, or "".
    code: one word from docs/format.md. message: plain words; never a person's other data.
    """

    file: str
    line: int
    column: str
    code: str
    message: str

    def __str__(self) -> str:
        column = f" {self.column}" if self.column else ""
        return f"{self.file}:{self.line}{column} {self.code} {self.message}"


class MatcherError(Exception):
    """Root of every error this package raises on purpose."""

    exit_code: ExitCode = ExitCode.INTERNAL


class InputError(MatcherError):
    """Faulty input: all faults of all files at once. notices: what else was seen on the way, as lines."""

    exit_code = ExitCode.INPUT

    def __init__(self, faults: Sequence[Fault], notices: Sequence[str] = ()) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(faults))
        self.notices: tuple[str, ...] = tuple(notices)
        count = len(self.faults)
        super().__init__(f"{count} fault{'' if count == 1 else 's'} in the input\n" + "\n".join(map(str, self.faults)))


class UsageError(MatcherError):
    """A choice that does not exist, or that this build does not have."""

    exit_code = ExitCode.USAGE


class PolicyError(UsageError):
    """A policy file that cannot be used; the message names every key at fault."""

    exit_code = ExitCode.INPUT


class ContradictionError(MatcherError):
    """Fixed decisions that cannot all hold. `ids`: the smallest conflicting set, in the user's household ids."""

    exit_code = ExitCode.CONTRADICTION

    def __init__(self, message: str, ids: Sequence[str]) -> None:
        self.ids: tuple[str, ...] = tuple(sorted(ids))
        super().__init__(message)


class NoPlanError(MatcherError):
    """No plan within the limits of time and effort."""

    exit_code = ExitCode.NO_PLAN


class InterruptedSolve(MatcherError):
    """Interrupted before there was any plan."""

    exit_code = ExitCode.INTERRUPTED


class InternalError(MatcherError):
    """A promise inside the program was broken: nothing is published."""

    exit_code = ExitCode.INTERNAL

"""Progress on stderr while a search runs: a line that is redrawn for a person, a line now and then for a log."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

import typer

from matcher.cli.console import is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

EVERY_S = 2.0


class Progress:
    """Use as a context; `update(cost, bound)` with whole units of 1/10 person-km, None while there is none."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.started = self.told = time.monotonic()
        self.bar: RichProgress | None = None
        if not quiet and is_terminal():
            from rich.console import Console
            from rich.progress import Progress as RichProgress
            from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

            columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
            self.bar = RichProgress(*columns, console=Console(stderr=True), transient=True)
            self.task = self.bar.add_task("compiling …", total=None)

    def __enter__(self) -> Progress:
        if self.bar is not None:
            self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.bar is not None:
            self.bar.stop()

    def update(self, cost: int | None, bound: int | None) -> None:
        """The plan in hand and what is proved."""
        if self.quiet:
            return
        now = time.monotonic()
        if self.bar is not None:
            self.bar.update(self.task, description=self._line(cost, bound))
        elif now - self.told >= EVERY_S:
            self.told = now
            typer.echo(f"{now - self.started:.0f} s, {self._line(cost, bound)}", err=True)

    def _line(self, cost: int | None, bound: int | None) -> str:
        parts = []
        parts.append("no plan yet" if cost is None else f"plan in hand {cost / 10:,.0f} person-km")
        if bound is not None:
            parts.append(f"none can cost less than {bound / 10:,.0f}")
            if cost is not None:
                parts.append(f"at most {max(0.0, (cost - bound) / max(1, abs(cost))):.2%} to gain")
        return ", ".join(parts)

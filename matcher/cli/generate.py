"""`matcher generate --households N --seed S DIR`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matcher.cli.console import Quiet, guard
from matcher.errors import UsageError

Target = Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write; must be new or empty.")]


def generate(
    folder: Target,
    households: Annotated[int, typer.Option("--households", min=1, help="Number of households.")] = 300,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same files.")] = 0,
    beds_per_person: Annotated[float, typer.Option("--beds-per-person", min=0.01, help="Usable beds for each person.")] = 1.0,
    rooms: Annotated[bool, typer.Option("--rooms/--no-rooms", help="Whether centres have lockable rooms.")] = True,
    links: Annotated[float, typer.Option("--links", min=0.0, max=1.0, help="Share of households tied to another one.")] = 0.05,
    quiet: Quiet = False,
) -> None:
    """Make a realistic instance of any size, with every column in use. Nobody in it is real."""
    with guard():
        from matcher.generate import generate as make

        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} is not an empty folder; name a new one")
        make(folder, households, seed, beds_per_person, rooms=rooms, links=links)
        if not quiet:
            typer.echo(f"{households:,} households written to {folder}")

"""Which history a command is about: the one of the night's configuration, or the one that is named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matcher.errors import UsageError

if TYPE_CHECKING:
    from matcher.history import History
    from matcher.nightly.config import NightlyConfig

CONFIG = "nightly.toml"
Config = Annotated[
    Path | None,
    typer.Option("--config", envvar="MATCHER_CONFIG", help=f"Configuration of the nightly run; default {CONFIG} in this folder."),
]
HistoryAt = Annotated[
    str | None, typer.Option("--history", metavar="PATH", help="The history itself: path of an SQLite file, or postgresql://… .")
]


def config_of(config: Path | None) -> NightlyConfig:
    """The configuration named, else the one in this folder. Raises UsageError where there is none."""
    from matcher.nightly.config import read_config

    path = config or Path(CONFIG)
    if config is None and not path.exists():
        raise UsageError(f"there is no {CONFIG} in this folder; name the configuration with --config, or the history with --history")
    return read_config(path)


def address_of(config: Path | None, history: str | None) -> str:
    """Path or URL of the history."""
    return history if history is not None else config_of(config).history_address


def history_of(config: Path | None, history: str | None, *, create: bool = False) -> History:
    """The history, open. Raises HistoryError, UsageError."""
    from matcher.history import open_history

    return open_history(address_of(config, history), create=create)

"""Libraries that a build may lack: asked for by name, and said in a sentence where they are not there."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from matcher.errors import UsageError

_WITHOUT = {
    "xlsx": "workbooks; save each sheet as a CSV file, or install them",
    "parquet": "Parquet files; use CSV files, or install them",
}


def library(module: str, extra: str) -> Any:
    """A module of an extra. Raises UsageError where this build does not have it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise UsageError(f"this build has no {_WITHOUT[extra]}: pip install 'shelter-matcher[{extra}]'") from error

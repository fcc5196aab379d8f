"""Reading instances: from a folder of CSV files, and from data frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matcher.io.codes import FAULT_CODES, NOTICE_CODES
from matcher.io.read import read_instance

if TYPE_CHECKING:
    from matcher.io.frames_in import instance_from_frames, instance_from_rows

__all__ = ["FAULT_CODES", "NOTICE_CODES", "instance_from_frames", "instance_from_rows", "read_instance"]


def __getattr__(name: str) -> object:
    # pandas takes longer to import than most instances take to read.
    if name in ("instance_from_frames", "instance_from_rows"):
        from matcher.io import frames_in

        return getattr(frames_in, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

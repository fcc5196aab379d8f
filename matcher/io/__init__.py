"""Reading instances: from a folder of CSV files, and from data frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matcher.io.codes import FAULT_CODES, NOTICE_CODES
from matcher.io.read import read_instance

if TYPE_CHECKING:
    from matcher.io.frames_in import instance_from_frames

__all__ = ["FAULT_CODES", "NOTICE_CODES", "instance_from_frames", "read_instance"]


def __getattr__(name: str) -> object:
    # pandas takes longer to import than most instances take to read.
    if name == "instance_from_frames":
        from matcher.io.frames_in import instance_from_frames

        return instance_from_frames
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

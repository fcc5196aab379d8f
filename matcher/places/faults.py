"""What is wrong with a text that should name a place."""

from __future__ import annotations

from typing import Literal

PlaceCode = Literal["unknown_place", "ambiguous_place", "unknown_oblast"]


class PlaceError(Exception):
    """A text that names no place, or several. code: for the fault; message: what a coordinator can do about it."""

    def __init__(self, code: PlaceCode, message: str) -> None:
        self.code: PlaceCode = code
        self.message = message
        super().__init__(code, message)

    def __str__(self) -> str:
        return self.message

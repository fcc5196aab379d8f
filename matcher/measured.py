"""Distances that a run has asked a routing server for: plain data, kept with the instance and written with the run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic_core import core_schema

if TYPE_CHECKING:  # numpy is imported late: reading files needs none of it
    import numpy as np
    from numpy.typing import NDArray

Point = tuple[float, float]
NO_WAY = -1
"""Where the server knows no way; in files it is null."""


@dataclass(frozen=True, eq=False)
class Measured:
    """Ways between all points of an instance; the same in both directions.

    points: (lat, lon), sorted. km10, minutes: whole numbers, shape (len(points), len(points)), NO_WAY in both where there is none.
    server: what was asked, for the record.
    """

    points: tuple[Point, ...]
    km10: NDArray[np.int32]
    minutes: NDArray[np.int32]
    server: str

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        """As a field of a model it is taken as it is."""
        return core_schema.is_instance_schema(cls)

    @cached_property
    def row(self) -> dict[Point, int]:
        """Position of each point."""
        return {point: i for i, point in enumerate(self.points)}

    @cached_property
    def sha256(self) -> str:
        """Of the ways: what a run's summary says it rests on."""
        return hashlib.sha256(self.text().encode()).hexdigest()

    def text(self) -> str:
        """distances.json: what the server said, in the order of the points, a line each; whose points they are stands in no file."""
        points = hashlib.sha256(json.dumps(self.points).encode()).hexdigest()
        tables = [_lines(table) for table in (self.km10, self.minutes)]
        head = json.dumps({"server": self.server, "points_sha256": points})[:-1]
        return f'{head}, "km10": [\n{tables[0]}\n], "minutes": [\n{tables[1]}\n]}}\n'

    def positions(self, points: Sequence[Point]) -> list[int] | None:
        """Where the points stand; None where one of them is not among these."""
        try:
            return [self.row[point] for point in points]
        except KeyError:
            return None


def _lines(table: NDArray[np.int32]) -> str:
    return ",\n".join(json.dumps([None if cell == NO_WAY else cell for cell in row]) for row in table.tolist())


def measured_from(text: str, points: Sequence[Point]) -> Measured:
    """What `Measured.text` has written, for the same points. Raises ValueError where it was not written for these, or is damaged."""
    data = json.loads(text)
    shape = len(points), len(points)
    try:
        km10, minutes = (_table(data[name]).reshape(shape) for name in ("km10", "minutes"))
        found = Measured(tuple(points), km10, minutes, str(data["server"]))
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError("does not hold distances as a run writes them") from error
    if found.text() != text:
        raise ValueError("was written for other places than those of the instance")
    return found


def _table(rows: list[list[object]]) -> NDArray[np.int32]:
    import numpy as np

    return np.array([[NO_WAY if cell is None else _whole(cell) for cell in row] for row in rows], dtype=np.int32)


def _whole(cell: object) -> int:
    if type(cell) is not int or cell < 0:
        raise TypeError("not a distance")
    return cell

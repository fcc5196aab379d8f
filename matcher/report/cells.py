"""Small cells of a table of persons: hidden, and with them enough other cells that nobody can work them out from the sums.

Cell suppression as statistical offices do it (Hundepool et al., Statistical Disclosure Control, 2012, chapter 4): first every count
from 1 to 4, then in each line whose sum is shown a second cell, the smallest, and more as long as the hidden cells of a line are
known to within few persons.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

SMALL = 5
Table = Sequence[Sequence[int]]
Line = list[tuple[int, int]]


def hidden(table: Table, *, sums_below: bool, below: Sequence[bool] | None = None) -> list[list[bool]]:
    """Which cells of a table must not be shown, same shape.

    table: rows of counts, the last one of each row its sum. sums_below: the last row is the sum of the others; else rows may overlap.
    below: which of these sums are hidden wherever else they stand, where they do stand elsewhere; they stay as they are. Zeros are shown,
    but where nothing else can hide a small cell.
    """
    out = [[0 < count < SMALL for count in row] for row in table]
    if below is not None:
        out[-1] = list(below)
    settled = {(len(table) - 1, j) for j in range(len(below))} if below is not None else set()
    lines = list(_lines(table, sums_below))
    while any(_hide_another(table, out, line, settled) for line in lines):
        pass
    return out


def _lines(table: Table, sums_below: bool) -> Iterator[Line]:
    """Cells that add up, the sum last."""
    yield from ([(i, j) for j in range(len(row))] for i, row in enumerate(table))
    if sums_below and table:
        yield from ([(i, j) for i in range(len(table))] for j in range(len(table[0])))


def _hide_another(table: Table, out: list[list[bool]], line: Line, settled: set[tuple[int, int]]) -> bool:
    """Hide one more cell of a line that gives its hidden cells away. False if it does not, or there is no other."""
    gone = [(i, j) for i, j in line if out[i][j]]
    shown = [(i, j) for i, j in line if not out[i][j] and (i, j) not in settled]
    if not gone or not shown:
        return False
    counts = [table[i][j] for i, j in gone]
    room = sum(counts) - (len(counts) if all(counts) else 0)  # of each it is known that it is 1 at least, unless zeros are hidden, too
    safe = len(gone) > 1 and (out[line[-1][0]][line[-1][1]] or room >= SMALL - 1 or not all(counts))
    if safe:
        return False
    i, j = min(shown, key=lambda at: (not table[at[0]][at[1]], at == line[-1], table[at[0]][at[1]], at))
    out[i][j] = True
    return True

"""Small cells of tables are hidden so that nobody can work them out: no cell under five has only one value that fits what is shown."""

from __future__ import annotations

import random

from ortools.sat.python import cp_model

from matcher.report.cells import SMALL, hidden

Table = list[list[int]]


def drawn(rng: random.Random) -> tuple[Table, bool]:
    rows, columns, below = rng.randint(1, 4), rng.randint(2, 3), rng.random() < 0.7
    table = [[rng.choice([0, 0, 1, 2, 3, 4, 5, 7, 12, 30]) for _ in range(columns)] for _ in range(rows)]
    table = [[*row, sum(row)] for row in table]
    return ([*table, [sum(column) for column in zip(*table, strict=True)]] if below else table), below


def fits(table: Table, gone: list[list[bool]], below: bool, at: tuple[int, int]) -> tuple[int, int]:
    """Least and most that a hidden cell can be, by what is shown: sums, and that every hidden cell is at least 1."""
    found = []
    for sense in (1, -1):
        model = cp_model.CpModel()
        x = [[model.new_int_var(1, 999, "") if gone[i][j] else n for j, n in enumerate(row)] for i, row in enumerate(table)]
        for row in x:
            model.add(sum(row[:-1]) == row[-1])
        for column in zip(*x, strict=True) if below else ():
            model.add(sum(column[:-1]) == column[-1])
        model.minimize(sense * x[at[0]][at[1]])
        solver = cp_model.CpSolver()
        assert solver.solve(model) == cp_model.OPTIMAL
        found.append(solver.value(x[at[0]][at[1]]))
    return found[0], found[1]


def test_no_small_cell_can_be_worked_out() -> None:
    rng, looked = random.Random(5), 0
    for _ in range(60):
        table, below = drawn(rng)
        gone = hidden(table, sums_below=below)
        for i, row in enumerate(table):
            for j, count in enumerate(row):
                assert not gone[i][j] or count, "a zero tells of nobody and stays"
                if 0 < count < SMALL:
                    assert gone[i][j]
                    least, most = fits(table, gone, below, (i, j))
                    assert least < most, (table, gone, (i, j))
                    looked += 1
    assert looked > 100


def test_a_second_cell_goes_with_the_first() -> None:
    assert hidden([[30, 2, 0, 32]], sums_below=False) == [[True, True, False, False]]


def test_large_cells_stay() -> None:
    assert hidden([[30, 12, 0, 42], [7, 5, 9, 21]], sums_below=False) == [[False] * 4] * 2

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
    """Least and most that a hidden cell can be, by what is shown: sums, and that hidden cells are at least 1 but where zeros are hidden."""
    found = []
    least = int(all(n for row, away in zip(table, gone, strict=True) for n, off in zip(row, away, strict=True) if off))
    for sense in (1, -1):
        model = cp_model.CpModel()
        x = [[model.new_int_var(least, 999, "") if gone[i][j] else n for j, n in enumerate(row)] for i, row in enumerate(table)]
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
    for _ in range(90):
        table, below = drawn(rng)
        known = [False] * len(table[-1]) if below and rng.random() < 0.5 and min(table[-1]) > 20 else None
        gone = hidden(table, sums_below=below, below=known)
        assert known is None or gone[-1] == known, "sums that stand elsewhere stay"
        for i, row in enumerate(table):
            for j, count in enumerate(row):
                if 0 < count < SMALL:
                    assert gone[i][j]
                    least, most = fits(table, gone, below, (i, j))
                    assert least < most, (table, gone, (i, j))
                    looked += 1
    assert looked > 100


def test_a_second_cell_goes_with_the_first() -> None:
    assert hidden([[30, 2, 0, 32]], sums_below=False) == [[True, True, False, False]]


def test_a_sum_that_is_known_hides_nothing() -> None:
    """All who are left out come from one oblast, and how many are left out in all stands at the top of the page."""
    table = [[20, 2, 22], [30, 0, 30], [50, 2, 52]]
    gone = hidden(table, sums_below=True, below=[False, False, False])
    assert gone[0][:2] == [True, True] and gone[1][:2] == [True, True] and not any(gone[2])


def test_large_cells_stay() -> None:
    assert hidden([[30, 12, 0, 42], [7, 5, 9, 21]], sums_below=False) == [[False] * 4] * 2

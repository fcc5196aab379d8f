"""Rows of a plan that are held by column: the same whether they are kept or built at every walk."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from matcher import Policy, SolveOptions, placed, solve
from matcher.placed import Placements
from tests.runs import DATE, generated, instance_of


@pytest.mark.parametrize("kept", [True, False])
def test_rows_are_the_same_whether_they_are_kept_or_not(kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = solve(instance_of(generated(40, 3, 1.0, 0.1)), Policy(), date=DATE, options=SolveOptions(isolate=False)).placements
    assert isinstance(rows, Placements) and len(rows) > 10
    monkeypatch.setattr(placed, "KEPT", len(rows) if kept else len(rows) - 1)
    fresh = rows.take(slice(0, len(rows)))
    first, again = list(fresh), list(fresh)
    assert first == again == [rows[i] for i in range(len(rows))]
    assert all(a is b for a, b in zip(first, again, strict=True)) == kept
    few = np.arange(len(rows)) % 3 == 0
    assert list(fresh.take(few)) == first[::3]
    copied = pickle.loads(pickle.dumps(fresh))
    assert copied == fresh == copy.deepcopy(fresh) and len(pickle.dumps(fresh)) == len(pickle.dumps(rows.take(slice(0, len(rows)))))

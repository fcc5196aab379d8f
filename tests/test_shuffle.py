"""Rows and columns in any order, in a process of its own or not: the same bytes in every file but run.json."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from matcher.io import read_instance
from matcher.publish import publish
from matcher.solver import solve
from tests.runs import DATE, INSTANCES, files_of, generated, instance_of, policy_of, published, shuffled, table_of

NAMES = ["chasiv-yar", "hard-night", *(f"generated-{seed}" for seed in (11, 12, 13, 14))]
SHUFFLES = 2


def folder_of(name: str) -> Path:
    seed = int(name.rpartition("-")[2]) if name.startswith("generated") else 0
    return generated(60, seed, (0.5, 0.8, 1.0, 1.3)[seed % 4], 0.6) if seed else INSTANCES / name


@pytest.mark.parametrize("name", NAMES)
def test_rows_and_columns_in_any_order_give_the_same_files(name: str, tmp_path: Path) -> None:
    folder, rng = folder_of(name), random.Random(name)
    expected = files_of(published(folder, tmp_path / "out"))
    assert {"placements.csv", "unplaced.csv", "quarantined.csv", "summary.json", "certificate.json"} <= set(expected)
    moved = 0
    for i in range(SHUFFLES):
        other = shuffled(folder, tmp_path / f"shuffled-{i}", rng)
        for file in other.glob("*.csv"):
            (old_header, old), (header, new) = table_of(folder / file.name), table_of(file)
            moved += (len(old) > 3 and [row[header.index(old_header[0])] for row in new] != [row[0] for row in old]) + (
                header != old_header
            )
        result = solve(read_instance(other), policy_of(folder), date=DATE)
        found = files_of(publish(result, tmp_path / f"out-{i}"))
        assert found.keys() == expected.keys()
        assert [file for file in expected if found[file] != expected[file]] == []
    assert moved >= 6 * SHUFFLES  # they really were in another order


@pytest.mark.parametrize("name", [NAMES[0], NAMES[1], NAMES[3]])
def test_a_process_of_its_own_gives_the_same_files(name: str, tmp_path: Path) -> None:
    folder = folder_of(name)
    apart = solve(instance_of(folder), policy_of(folder), date=DATE, isolate=True)
    assert apart.effort.cut_by is None
    assert files_of(publish(apart, tmp_path / "apart")) == files_of(published(folder, tmp_path / "here"))


def test_only_run_json_tells_when_and_where(tmp_path: Path) -> None:
    """Two runs of one input: equal files, and the times stand in run.json alone."""
    folder = folder_of(NAMES[2])
    one, two = (publish(solve(read_instance(folder), date=DATE), tmp_path / name) for name in ("one", "two"))
    assert files_of(one) == files_of(two)
    assert {"seconds", "peak_memory_mib", "effort", "libraries"} <= set(json.loads((one / "run.json").read_text(encoding="utf-8")))
    for name, data in files_of(one).items():
        assert b"seconds" not in data, name


def test_another_seed_may_change_the_plan_but_never_its_cost(tmp_path: Path) -> None:
    folder = folder_of(NAMES[2])
    costs = {solve(instance_of(folder), date=DATE, seed=seed).cost.total for seed in range(4)}
    assert len(costs) == 1

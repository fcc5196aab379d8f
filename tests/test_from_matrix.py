"""Bare matrices: `Problem.from_matrix` against brute force and the public GAP benchmarks, and the two doors of a `Problem`."""

from __future__ import annotations

import csv
import itertools
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matcher.compile import compile_instance
from matcher.errors import NoPlanError, UsageError
from matcher.problem import BLOCKED, UNPLACED, Arcs, Problem
from matcher.solver import solve
from tests.oracle.tiny import tiny_case
from tests.runs import DATE, ROOT, generated, instance_of

GAP = ROOT.parent / "shared" / "bench" / "gap"
Matrix = list[list[int]]


def brute(cost: Matrix, use: Matrix, capacity: list[int], out: list[int] | None, allowed: list[list[bool]]) -> int | None:
    """The least cost of all assignments that fit, or None."""
    offers = range(len(capacity))
    choices = [[a for a in offers if allowed[h][a]] + ([] if out is None else [UNPLACED]) for h in range(len(cost))]
    best = None
    for pick in itertools.product(*choices):
        used = [sum(use[h][a] for h, home in enumerate(pick) if home == a) for a in offers]
        if any(used[a] > capacity[a] for a in offers):
            continue
        total = sum(cost[h][a] if a != UNPLACED else (out or [])[h] for h, a in enumerate(pick))
        best = total if best is None else min(best, total)
    return best


def random_matrices(rng: random.Random) -> tuple[Matrix, Matrix, list[int], list[int] | None, list[list[bool]]]:
    h, a = rng.randint(1, 5), rng.randint(1, 4)
    low = rng.choice((-40, 0, 1))
    cost = [[rng.randint(low, 50) for _ in range(a)] for _ in range(h)]
    use = [[rng.randint(0, 9) for _ in range(a)] for _ in range(h)]
    capacity = [rng.randint(0, 16) for _ in range(a)]
    out = [rng.randint(low, 60) for _ in range(h)] if rng.random() < 0.5 else None
    return cost, use, capacity, out, [[rng.random() < 0.85 for _ in range(a)] for _ in range(h)]


def test_small_matrices_are_solved_to_what_brute_force_finds() -> None:
    rng = random.Random(1)
    seen: Counter[str] = Counter()
    for _ in range(250):
        cost, use, capacity, out, allowed = random_matrices(rng)
        expected = brute(cost, use, capacity, out, allowed)
        problem = Problem.from_matrix(cost, use, capacity, out, allowed=allowed)
        if expected is None:
            with pytest.raises(NoPlanError):
                solve(problem)
            seen["infeasible"] += 1
            continue
        result = solve(problem)
        assert (result.status, result.cost.total) == ("optimal", expected), (cost, use, capacity, out, allowed)
        assert result.bound <= expected
        home = result.plan.home
        used = [sum(use[h][a] for h in range(len(cost)) if home[h] == a) for a in range(len(capacity))]
        assert all(u <= c for u, c in zip(used, capacity, strict=True))
        assert all(allowed[h][a] for h, a in enumerate(home) if a != UNPLACED)
        assert sum(cost[h][a] if a != UNPLACED else (out or [])[h] for h, a in enumerate(home)) == expected
        assert out is not None or UNPLACED not in home
        seen["everybody placed" if out is None else "may stay out"] += 1
        seen["negative"] += expected < 0
        seen["somebody stays out"] += UNPLACED in home
    assert seen["infeasible"] >= 15 and min(seen.values()) >= 15 and len(seen) == 5, seen


def test_the_use_of_an_offer_differs_by_household_and_by_offer() -> None:
    """Household 0 fills offer 0 alone but hardly uses offer 1; by persons alone the best plan would not fit."""
    cost, use = [[1, 5], [1, 50]], [[10, 1], [3, 10]]
    result = solve(Problem.from_matrix(cost, use, [10, 2]))
    assert (result.plan.home, result.cost.total) == ((1, 0), 6)


def test_without_unplaced_cost_everybody_is_placed_or_there_is_no_plan() -> None:
    cost, use = [[10**6, 10**6], [10**6, 10**6]], [[1, 1], [1, 1]]
    assert UNPLACED not in solve(Problem.from_matrix(cost, use, [1, 1])).plan.home
    with pytest.raises(NoPlanError, match="no plan"):
        solve(Problem.from_matrix(cost, use, [1, 0]))
    assert solve(Problem.from_matrix(cost, use, [1, 0], [1, 1])).plan.home == (UNPLACED, UNPLACED)
    with pytest.raises(NoPlanError):
        solve(Problem.from_matrix(cost, use, [9, 9], allowed=[[False, False], [True, True]]))


def test_no_offers_and_no_households() -> None:
    empty = np.zeros((0, 3), dtype=np.int64)
    assert solve(Problem.from_matrix(empty, empty, [1, 1, 1])).cost.total == 0
    none = np.zeros((2, 0), dtype=np.int64)
    assert solve(Problem.from_matrix(none, none, [], [4, 5])).cost.total == 9
    with pytest.raises(NoPlanError):
        solve(Problem.from_matrix(none, none, []))


WRONG: dict[str, tuple[Any, ...]] = {
    "cost is a vector": ([1, 2], [[1, 1]], [1, 1]),
    "use has another shape": ([[1, 2]], [[1]], [1, 1]),
    "capacity is too short": ([[1, 2]], [[1, 1]], [1]),
    "capacity is a matrix": ([[1, 2]], [[1, 1]], [[1, 1]]),
    "unplaced_cost is too long": ([[1, 2]], [[1, 1]], [1, 1], [1, 2]),
    "unplaced_cost is a matrix": ([[1, 2]], [[1, 1]], [1, 1], [[1]]),
    "use is negative": ([[1, 2]], [[1, -1]], [1, 1]),
    "capacity is negative": ([[1, 2]], [[1, 1]], [1, -1]),
    "cost is not whole": ([[1.5, 2]], [[1, 1]], [1, 1]),
    "use is not whole": ([[1, 2]], [[0.5, 1]], [1, 1]),
    "capacity is not whole": ([[1, 2]], [[1, 1]], [1, 1.25]),
    "unplaced_cost is not whole": ([[1, 2]], [[1, 1]], [1, 1], [0.1]),
    "cost is not a number": ([[float("nan"), 2]], [[1, 1]], [1, 1]),
    "cost is infinite": ([[float("inf"), 2]], [[1, 1]], [1, 1]),
    "cost is text": ([["a", "b"]], [[1, 1]], [1, 1]),
    "rows of unequal length": ([[1, 2], [3]], [[1, 1], [1, 1]], [1, 1]),
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=list(WRONG))
def test_wrong_shapes_and_numbers_are_usage_errors(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(UsageError):
        Problem.from_matrix(*arguments)


def test_allowed_of_another_shape_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        Problem.from_matrix([[1, 2]], [[1, 1]], [1, 1], allowed=[[True]])


@pytest.mark.parametrize("large", [1 << 62, 1 << 58])
def test_numbers_too_large_for_an_exact_bound_are_refused_and_not_wrapped(large: int) -> None:
    """Either the exact answer or an error of this package."""
    from matcher.errors import MatcherError

    try:
        result = solve(Problem.from_matrix([[large, large - 5]], [[1, 1]], [1, 1]))
    except MatcherError:
        return
    assert result.cost.total == large - 5


def test_whole_numbers_as_floats_are_taken() -> None:
    assert solve(Problem.from_matrix([[1.0, 2.0]], [[1.0, 1.0]], [1.0, 1.0])).cost.total == 1


# --- the two doors -------------------------------------------------------------------------------------------------------------------


def cheapest(problem: Problem, arcs: Arcs, prices: Any, weights: Any) -> tuple[list[int], list[set[int]]]:
    """Of the arcs written out: every party's least value at these prices, and the offers where it is reached."""
    value = arcs.cost @ weights
    np.add.at(value, arcs.of(), arcs.amount * prices[arcs.resource])
    least = [BLOCKED] * len(problem.parties)
    where: list[set[int]] = [set() for _ in problem.parties]
    for q, a, v in zip(arcs.party.tolist(), arcs.offer.tolist(), value.tolist(), strict=True):
        if v < least[q]:
            least[q], where[q] = v, set()
        if v == least[q]:
            where[q].add(a)
    return least, [offers or {UNPLACED} for offers in where]


def check_doors(problem: Problem, rng: random.Random, rounds: int) -> Counter[str]:
    arcs = problem.arcs()
    seen: Counter[str] = Counter()
    for _ in range(rounds):
        top = rng.choice((0, 50, 5_000, 3_000_000))
        prices = np.array([rng.choice((0, rng.randint(0, top))) for _ in problem.resources], dtype=np.int64)
        weights = np.array([rng.randint(0, 1000) for _ in problem.stages], dtype=np.int64)
        values, offers = problem.best(prices, weights)
        least, where = cheapest(problem, arcs, prices, weights)
        assert values.tolist() == least
        assert all(int(a) in found for a, found in zip(offers, where, strict=True))
        some = sorted(rng.sample(range(len(problem.parties)), rng.randint(0, len(problem.parties))))
        part, _ = problem.best(prices, weights, some)
        assert part.tolist() == [least[q] for q in some]
        seen["parties"] += len(least)
        seen["without an arc"] += least.count(BLOCKED)
    check_candidates(problem, arcs, rng)
    seen["arcs"] += len(arcs)
    seen["rooms"] += sum(bool(rooms) for rooms in arcs.rooms)
    return seen


def check_candidates(problem: Problem, arcs: Arcs, rng: random.Random) -> None:
    """Arcs of some parties against some candidates are those of all that are among them, with the same cost and use."""

    def plain(of: Arcs) -> list[tuple[Any, ...]]:
        uses = [tuple(zip(of.resource[s:e].tolist(), of.amount[s:e].tolist(), strict=True)) for s, e in itertools.pairwise(of.start)]
        return list(zip(of.party.tolist(), of.offer.tolist(), of.rooms, map(tuple, of.cost.tolist()), uses, strict=True))

    every = plain(arcs)
    some = sorted(rng.sample(range(len(problem.parties)), (len(problem.parties) + 1) // 2))
    candidates = np.array([[rng.random() < 0.5 for _ in range(problem.offers)] for _ in some], dtype=np.bool_)
    candidates = candidates.reshape(len(some), problem.offers)
    expected = [row for row in every if row[0] in some and candidates[some.index(row[0]), row[1]]]
    assert plain(problem.arcs(some, candidates)) == expected
    assert plain(problem.arcs(some)) == [row for row in every if row[0] in some]
    assert every == sorted(every, key=lambda row: row[:2])


def test_the_best_arc_is_the_best_of_all_arcs_on_tiny_instances() -> None:
    seen: Counter[str] = Counter()
    for seed in range(700_000, 700_150):
        case = tiny_case(seed)
        problem = compile_instance(case.instance, case.policy, case.date).problem
        seen += check_doors(problem, random.Random(seed), 4)
    assert seen["parties"] >= 1200 and seen["without an arc"] >= 100 and seen["rooms"] >= 100, seen


@pytest.mark.parametrize("arguments", [(60, 31, 0.9, 0.6), (300, 32, 1.0, 0.2)])
def test_the_best_arc_is_the_best_of_all_arcs_on_generated_instances(arguments: Any) -> None:
    from matcher.policy import Policy

    problem = compile_instance(instance_of(generated(*arguments)), Policy(), DATE).problem
    seen = check_doors(problem, random.Random(0), 6)
    assert seen["arcs"] >= 500 and seen["rooms"] >= 100, seen


def test_the_best_arc_is_the_best_of_all_arcs_of_matrices() -> None:
    rng = random.Random(3)
    seen: Counter[str] = Counter()
    for _ in range(80):
        cost, use, capacity, out, allowed = random_matrices(rng)
        seen += check_doors(Problem.from_matrix(cost, use, capacity, out, allowed=allowed), rng, 3)
    assert seen["parties"] >= 400, seen


# --- the public benchmarks -----------------------------------------------------------------------------------------------------------


def gap_file(path: Path) -> tuple[Any, Any, Any]:
    """cost and use, shape (jobs, agents), and capacity, of a file of the OR-Library."""
    numbers = iter(map(int, path.read_text(encoding="ascii").split()))
    agents, jobs = next(numbers), next(numbers)
    tables = [np.array([[next(numbers) for _ in range(jobs)] for _ in range(agents)]).T for _ in range(2)]
    capacity = np.array([next(numbers) for _ in range(agents)])
    assert next(numbers, None) is None
    return *tables, capacity


def best_known(sense: str) -> list[tuple[str, int]]:
    if not (GAP / "best_known.csv").exists():
        return []
    with (GAP / "best_known.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["sense"] == sense and row["instance"].startswith("orlib/")]
    assert all(row["proven_optimal"] == "yes" for row in rows)
    return [(row["instance"], int(row["best_known"])) for row in rows]


@pytest.mark.skipif(not GAP.exists(), reason=f"the public GAP files are not at {GAP}")
@pytest.mark.parametrize("group", range(1, 13))
def test_the_sixty_files_of_the_or_library_are_solved_to_their_known_optimum(group: int) -> None:
    rows = [(name, value) for name, value in best_known("min") if name.startswith(f"orlib/gap{group}-")]
    assert len(best_known("min")) == 60 and len(rows) == 5
    for name, value in rows:
        result = solve(Problem.from_matrix(*gap_file(GAP / name)))
        assert (result.status, result.cost.total) == ("optimal", value), name


@pytest.mark.skipif(not GAP.exists(), reason=f"the public GAP files are not at {GAP}")
def test_the_largest_profit_is_the_least_negated_cost() -> None:
    rows = best_known("max")
    assert len(rows) == 60
    for name, value in rows[::6]:
        cost, use, capacity = gap_file(GAP / name)
        result = solve(Problem.from_matrix(-cost, use, capacity))
        assert (result.status, -result.cost.total) == ("optimal", value), name

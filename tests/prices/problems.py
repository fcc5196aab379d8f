"""Random problems for kernels: compiled instances with every feature, bare matrices, and prices for them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from matcher.compile import compile_instance
from matcher.layers import Exceptions, Ints, exceptions
from matcher.problem import Problem
from tests.oracle.tiny import tiny_case

FAMILIES = (
    {"density": 0.3},
    {"density": 0.12, "rooms": True, "roomy": True, "nights": True, "needs": True},
    {"density": 0.05, "parties": True, "links": True, "overrides": True, "travel_rows": True, "roomy": True, "households": 4},
    {"density": 0.1, "rooms": True, "separate": True, "standing": True, "floors": True, "groups": True},
)


def compiled(seed: int, order: str = "weighted") -> Problem:
    """A compiled instance of up to 14 households and 9 offers."""
    rng = random.Random(seed)
    sizes = {"households": rng.randint(2, 14), "offers": rng.randint(1, 9)}
    case = tiny_case(seed, pins="any", order=order, **{**sizes, **FAMILIES[seed % len(FAMILIES)]})  # type: ignore[arg-type]
    problem = compile_instance(case.instance, case.policy, case.date).problem
    costs = np.random.default_rng(seed).integers(-1, 500, (len(problem.parties), problem.offers))
    chosen = [q for q in range(len(problem.parties)) if rng.random() < 0.15 * (seed % 5)]
    return replace(problem, party_cost={**problem.party_cost, **{q: costs[q] for q in chosen}})


def matrix(seed: int) -> Problem:
    """A bare matrix with uses by pair, some of them zero, and exceptions of single pairs."""
    rng = np.random.default_rng(seed)
    h, a = int(rng.integers(1, 12)), int(rng.integers(1, 9))
    cost = rng.integers(-40 if seed % 3 == 0 else 0, 400, (h, a))
    out = None if seed % 4 == 0 else rng.integers(0, 900, h)
    problem = Problem.from_matrix(cost, rng.integers(0, 6, (h, a)), rng.integers(0, 9, a), out, allowed=rng.random((h, a)) < 0.8)
    if seed % 2:
        problem = replace(problem, terms=(*problem.terms, _scattered(rng, h, a, 60)), term_stage=(*problem.term_stage, 0))
        problem = replace(problem, rules=(*problem.rules, _scattered(rng, h, a, 1)))
    barred = (rng.random(h) < 0.1) & ~problem.must
    return replace(problem, barred=barred)


def _scattered(rng: np.random.Generator, h: int, a: int, top: int) -> Exceptions:
    """Values of single pairs; a rule for top = 1."""
    rows = {
        int(q): (int(rng.integers(0, top + 1)), {int(o): int(rng.integers(0, top + 1)) for o in np.flatnonzero(rng.random(a) < 0.5)})
        for q in np.flatnonzero(rng.random(h) < 0.6)
    }
    return exceptions("scattered", h, rows, 1 if top == 1 else 0)


def problems(count: int, first: int = 0, order: str = "weighted") -> Iterator[Problem]:
    """Two compiled instances, then a matrix, and so on."""
    for seed in range(first, first + count):
        yield matrix(seed) if seed % 3 == 2 and order == "weighted" else compiled(700_000 + seed, order)


def random_prices(problem: Problem, rng: np.random.Generator, top: int) -> Ints:
    """Prices by resource from nothing to `top`, many of them nothing or equal."""
    count = len(problem.resources)
    return np.where(rng.random(count) < 0.4, 0, np.where(rng.random(count) < 0.2, top // 2, rng.integers(0, top + 1, count))).astype(
        np.int64
    )

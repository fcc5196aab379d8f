"""Scenes for searches over houses, and everything that a house keeps, counted from scratch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from matcher.compile import compile_instance
from matcher.evaluate import broken, plan_of
from matcher.policy import policy_from_plain
from matcher.pricing.arcs import Choices
from matcher.pricing.kernels import HALF
from matcher.problem import Problem
from matcher.strategies.prices.field import Field, loads_of, make_field, search_lists
from matcher.strategies.prices.house import Bonds, House, Standing, make_bonds, make_house, standing_of
from tests.prices.problems import problems
from tests.runs import DATE, generated, instance_of

LINKS = ("must be placed both or neither", "break a required tie")


@dataclass(frozen=True)
class Scene:
    """A problem and all that a search needs."""

    problem: Problem
    field: Field
    choices: Choices
    bonds: Bonds
    out: np.ndarray
    held: np.ndarray
    chance: np.random.Generator

    def house(self, standing: Standing) -> House:
        return make_house(self.problem, self.out, self.field.group, self.choices, standing)


def scene(problem: Problem, seed: int) -> Scene:
    field, chance = make_field(problem), np.random.default_rng(seed)
    prices = chance.random(len(problem.resources)) * 300
    nobody = Standing.nobody(field.parties)
    out = np.where(field.core.out >= HALF, 10_000_000, field.core.out)
    held = np.zeros(field.parties, dtype=np.bool_)
    held[[q for link in problem.links for q in (link.first, link.second)]] = True
    return Scene(problem, field, search_lists(field, nobody, prices, 24, 0, 2), make_bonds(problem, 1), out, held, chance)


def scenes() -> Iterator[Scene]:
    """Small problems of every sort, then instances of 150 households with links, floors and rooms."""
    for i, problem in enumerate(problems(45, 12_000)):
        if problem.offers and len(problem.parties):
            yield scene(problem, i)
    policy = policy_from_plain({"floors": {"km": 120, "share": {"older_person": "1", "disability": "0.9", "women": "0.5"}}})
    for seed, beds in ((31, 0.6), (32, 0.9), (33, 1.2)):
        instance = instance_of(generated(150, seed, beds, 0.6))
        yield scene(compile_instance(instance, policy, DATE).problem, seed)


def rooms_of(field: Field, standing: Standing) -> list[tuple[int, ...]]:
    uses, out = field.core.uses, []
    for s in standing.set.tolist():
        span = slice(int(uses.set_ptr[s]), int(uses.set_ptr[s + 1]))
        sizes = zip(uses.set_size[span].tolist(), uses.set_count[span].tolist(), strict=True)
        out.append(tuple(size for size, n in sizes for _ in range(n)) if s >= 0 else ())
    return out


def check_house(s: Scene, house: House) -> Standing:
    """Everything that the house keeps, counted from scratch."""
    problem, choices = s.problem, s.choices
    load = np.zeros(len(problem.resources), dtype=np.int64)
    inside: dict[int, set[int]] = {a: set() for a in range(problem.offers)}
    for q, e in enumerate(house.arc.tolist()):
        if e < 0:
            assert house.queue[house.spot[q]] == q and house.spot[q] < house.waiting[0]
            assert house.place_of[q] == -1 and house.cost[q] == s.out[q]
            continue
        assert choices.start[q] <= e < choices.start[q + 1]
        assert house.cost[q] == choices.cost[e] and house.spot[q] == -1
        b = choices.bundle[e]
        span = slice(choices.use_start[b], choices.use_start[b + 1])
        np.add.at(load, choices.use_row[span], choices.use_amount[span])
        if choices.use_start[b + 1] > choices.use_start[b]:
            a = int(choices.offer[e])
            inside[a].add(q)
            assert house.member[house.slot[a] + house.place_of[q]] == q
            assert house.slot[a] + house.occupants[a] <= house.slot[a + 1]
    assert load.tolist() == house.load.tolist() and (load <= problem.capacity).all()
    assert house.waiting[0] == (house.arc < 0).sum()
    for a, parties in inside.items():
        first = house.slot[a]
        assert house.occupants[a] == len(parties) and set(house.member[first : first + house.occupants[a]].tolist()) == parties
    placed = house.arc >= 0
    wanted = np.array([f.wanted - f.fixed for f in problem.floors], dtype=np.int64)
    assert house.lacking.tolist() == (wanted - s.field.group[placed].sum(axis=0)).tolist()
    standing = standing_of(house, choices)
    assert loads_of(s.field, standing).tolist() == load.tolist()
    faults = [f for f in faults_of(s, standing) if not f.endswith(LINKS)]
    assert faults == []
    return standing


def faults_of(s: Scene, standing: Standing) -> list[str]:
    """Broken promises but for those who are pinned and out: searches may leave them out, plans may not."""
    plan = plan_of(s.problem, standing.offer.tolist(), rooms_of(s.field, standing))
    return [fault for fault in broken(s.problem, plan) if "is pinned and not placed" not in fault]

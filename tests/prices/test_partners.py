"""Linked parties in searches that know arcs only: what a link costs is part of the arc's cost while the other end stands."""

from __future__ import annotations

from collections import Counter

import numpy as np

from matcher.strategies.prices.house import OUT, Standing, cost_of, enter, fits, leave, settle, shortfall
from matcher.strategies.prices.partners import movable, with_links
from tests.prices.houses import scenes


def test_of_linked_parties_some_may_move_that_are_not_linked_to_each_other() -> None:
    kept, moved = 0, 0
    for s in scenes():
        linked = np.flatnonzero(s.held)
        free = movable(s.bonds, s.chance.permutation(linked))
        assert free[~s.held].all()
        for link in s.problem.links:
            assert not (free[link.first] and free[link.second])
        for q in linked[~free[linked]].tolist():  # and nobody else could be added
            assert any(free[x.second if x.first == q else x.first] for x in s.problem.links if q in (x.first, x.second))
        kept, moved = kept + int((~free).sum()), moved + int(free[linked].sum())
    assert kept >= 20 and moved >= 20


def test_an_arc_costs_what_the_plan_would_cost_more() -> None:
    seen: Counter[str] = Counter()
    for s in scenes():
        house = s.house(Standing.nobody(s.field.parties))
        settle(house, s.choices, s.chance.permutation(s.field.parties), s.out)
        free = movable(s.bonds, s.chance.permutation(np.flatnonzero(s.held)))
        choices, out = with_links(s.bonds, house, s.choices, free, s.out)
        for q in np.flatnonzero(free & s.held).tolist():
            was = int(house.arc[q])
            before, short = cost_of(house, s.bonds, s.choices), int(shortfall(house))
            paid = out[q] if was < 0 else choices.cost[was]
            for e in [OUT, *range(choices.start[q], choices.start[q + 1])]:
                leave(house, s.choices, q)
                if e != OUT and not fits(house, s.choices, e):
                    enter(house, s.choices, q, was)
                    continue
                enter(house, s.choices, q, e)
                change = cost_of(house, s.bonds, s.choices) - before - (int(shortfall(house)) - short)
                assert change == (out[q] if e == OUT else choices.cost[e]) - paid
                seen["link"] += bool(e != OUT and choices.cost[e] != s.choices.cost[e])
                leave(house, s.choices, q)
                enter(house, s.choices, q, was)
    assert seen["link"] >= 50, seen

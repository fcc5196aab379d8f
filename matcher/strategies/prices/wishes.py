"""Sections around those who would gain by being elsewhere: where they are, where they would rather be, and who is there."""

from __future__ import annotations

import numpy as np

from matcher.evaluate import arc_costs
from matcher.layers import Bools, Ints
from matcher.pricing.arcs import nearest_with_worth
from matcher.problem import Problem
from matcher.section import portions
from matcher.strategies.prices.ascent import Floats
from matcher.strategies.prices.field import make_field
from matcher.strategies.prices.joining import join_nodes
from matcher.strategies.prices.standing import Stands

WISHES, LEAST = 3, 200.0
"""So many of the best offers are looked at of each party that would gain at least so much, in cost units."""


def deal_by_wishes(problem: Problem, stands: Stands, kept: Bools, prices: Floats, most: int) -> tuple[Ints, Ints]:
    """(section of each party, section of each offer), -1 for those in none; sections have up to about `most` parties.

    What a party gains is what its place and its price are worse than its best at the prices, over all offers. Offers that many would
    gain most by going between come into one section. kept: parties that are in none.
    """
    parties = len(problem.parties)
    active = np.flatnonzero(~kept)
    node = np.where(stands.placed, parties + stands.offers, np.arange(parties))  # offers after the parties; who is out is alone
    first, second, gain = _wishes(problem, stands, active, prices, node)
    size = np.zeros(parties + problem.offers, dtype=np.int64)
    np.add.at(size, node[active], 1)
    apart = np.array([not kept[[x.first, x.second]].any() for x in problem.links], dtype=np.bool_)
    bound = np.array([(x.first, x.second) for x in problem.links], dtype=np.int64).reshape(-1, 2)[apart]  # neither has a place
    first, second = np.concatenate([bound[:, 0], first]), np.concatenate([bound[:, 1], second])
    gain = np.concatenate([np.full(len(bound), np.inf), gain])
    order = np.lexsort((second, first, -gain))
    root = np.arange(parties + problem.offers)
    join_nodes(first[order], second[order], most, size, root)
    return _pack(problem, root, size, node, active, most)


def _wishes(problem: Problem, stands: Stands, active: Ints, prices: Floats, node: Ints) -> tuple[Ints, Ints, Floats]:
    """(node where a party is, node of an offer that it wishes, what it gains)."""
    now = problem.unplaced_by_stage().sum(axis=1).astype(np.float64)
    there = np.flatnonzero(stands.placed)
    now[there] = arc_costs(problem, there, stands.offers[there], stands.rooms_of(there)).sum(axis=1)
    arc, row, amount = stands.uses(problem, there)
    np.add.at(now, there[arc], prices[row] * amount)
    found = []
    for some, part in portions(problem, active):
        board = make_field(part).board
        board.set_prices(prices)
        offers, _, best = nearest_with_worth(board, WISHES)
        gain = now[some] - best
        for rank in range(offers.shape[1]):
            wish = offers[:, rank].astype(np.int64)
            good = np.flatnonzero((gain >= LEAST) & (wish >= 0) & (wish != stands.offers[some]))
            found.append((node[some[good]], len(node) + wish[good], gain[good] / (1 + rank)))
    if not found:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
    first, second, gains = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return first, second, gains


def _pack(problem: Problem, root: Ints, size: Ints, node: Ints, active: Ints, most: int) -> tuple[Ints, Ints]:
    """Groups of parties and offers, one after the other by place, into sections."""
    parties = len(node)
    count = np.bincount(root, minlength=len(root))
    groups = parties + np.flatnonzero(count[parties:] > 1)  # an offer stands for every group that holds one
    groups = groups[np.lexsort((groups, problem.place[groups - parties]))]
    section = np.full(len(root), -1, dtype=np.int64)
    number, held = 0, 0
    for g in groups.tolist():
        if held and held + int(size[g]) > most:
            number, held = number + 1, 0
        section[g] = number
        held += int(size[g])
    part = np.full(parties, -1, dtype=np.int64)
    part[active] = section[root[node[active]]]
    return part, section[root[parties:]]

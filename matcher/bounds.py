"""The proved bound L of MODEL.md in exact integers, over all eligible arcs of a `Problem`.

Links are kept along a forest over the parties and dropped elsewhere: joint placements of a tree are minimised exactly by
min-sum dynamic programming, which is what merging its parties into one would give.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.errors import Fault, InputError
from matcher.layers import Ints
from matcher.problem import BLOCKED, Link, Problem

Floats = NDArray[np.float64]
Pair = tuple[int, int]
MOST = 1 << 59
SCALE = 1_000_000


@dataclass(frozen=True)
class Prices:
    """Integers in units of 1/scale. capacity: π by resource; floors: μ by floor; multipliers: λ of the stages before."""

    scale: int
    stage: int
    capacity: Ints
    floors: Ints
    multipliers: tuple[int, ...]
    held: tuple[int, ...]

    def weights(self, stages: int) -> Ints:
        """Weight of each stage's costs: scale for this stage, λ for those before, 0 for those after."""
        weights = np.zeros(stages, dtype=np.int64)
        weights[: self.stage] = self.multipliers
        weights[self.stage] = self.scale
        return weights


@dataclass(frozen=True)
class Bound:
    """L in units of 1/scale, and how far each choice is from it.

    slack: shape (Q, A): how much more the whole bound would be if the party were to go there by its best arc; BLOCKED
    where it may not. out: the same for leaving the party out. impossible: some party, or linked group, that must be placed has
    no place at all.
    """

    scaled: int
    slack: Ints
    out: Ints
    impossible: bool

    def rounded(self, scale: int) -> int:
        """L rounded up to a whole unit."""
        return -((-self.scaled) // scale)


def link_forest(problem: Problem) -> tuple[Pair, ...]:
    """Pairs of parties whose links the bound keeps: a spanning forest, heaviest first (required before soft).

    Pairs with a private party, or that must be kept apart, are left out, because the pairs are published.
    """
    unnamed = {(min(x.first, x.second), max(x.first, x.second)) for x in problem.links if x.kind == "apart"}
    weight: dict[Pair, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    for link in problem.links:
        pair = (min(link.first, link.second), max(link.first, link.second))
        if pair in unnamed or problem.private & set(pair):
            continue
        hard, soft = weight[pair]
        weight[pair] = (hard + link.binds, soft + link.amount[0] / link.amount[1])
    root = list(range(len(problem.parties)))

    def find(q: int) -> int:
        while root[q] != q:
            root[q] = root[root[q]]
            q = root[q]
        return q

    kept = []
    for pair in sorted(weight, key=lambda p: (-weight[p][0], -weight[p][1], p)):
        a, b = find(pair[0]), find(pair[1])
        if a != b:
            root[a] = b
            kept.append(pair)
    return tuple(sorted(kept))


@dataclass(frozen=True)
class Least:
    """L alone, in units of 1/scale. impossible: as in `Bound`."""

    scaled: int
    impossible: bool

    def rounded(self, scale: int) -> int:
        """L rounded up to a whole unit."""
        return -((-self.scaled) // scale)


MOST_PAIRS = 3_000_000
"""Up to so many pairs their slack is written out; beyond, only the bound itself is counted, and links are not kept."""


def lower_bound(problem: Problem, prices: Prices, forest: Sequence[Pair]) -> Bound | Least:
    """L(π, μ, λ), without the slack of every choice where there are too many. Raises InputError if the numbers could overflow."""
    if forest or len(problem.parties) * problem.offers <= MOST_PAIRS:
        return prove(problem, prices, forest)
    from matcher.pricing.bound import least_values  # compiled kernels are loaded where they are needed
    from matcher.pricing.kernels import HALF

    weights = prices.weights(len(problem.stages))
    _guard(problem, prices, weights)
    if sum(int(w) * most for w, most in zip(weights, largest_costs(problem), strict=True)) >= HALF:
        raise _too_large()
    out: Ints = problem.unplaced_by_stage() @ weights + _floor_prices(problem, prices)
    out[problem.must] = BLOCKED
    least = np.minimum(out, least_values(problem, prices.capacity, weights))
    total = _without_parties(problem, prices, weights) + _sum(least)
    return Least(total, bool((least >= BLOCKED).any()))


def _sum(values: Ints) -> int:
    """The exact sum of up to 2^33 values, each of which may be as large as they get."""
    return (int((values >> 30).sum()) << 30) + int((values & ((1 << 30) - 1)).sum())


def _without_parties(problem: Problem, prices: Prices, weights: Ints) -> int:
    """What L has besides the parties' own minima."""
    total = sum(int(w) * f for w, f in zip(weights, problem.fixed_cost, strict=True))
    total -= sum(m * v for m, v in zip(prices.multipliers, prices.held, strict=True))
    total += sum(int(m) * (f.wanted - f.persons) for m, f in zip(prices.floors, problem.floors, strict=True))
    used = np.flatnonzero(prices.capacity)
    return total - sum(int(prices.capacity[r]) * problem.resources[r].capacity for r in used)


def prove(problem: Problem, prices: Prices, forest: Sequence[Pair]) -> Bound:
    """L(π, μ, λ) and the slack of every choice. Raises InputError if the numbers could overflow."""
    weights = prices.weights(len(problem.stages))
    _guard(problem, prices, weights)
    count = len(problem.parties)
    values = np.full((count, problem.offers), BLOCKED, dtype=np.int64)
    for low in range(0, count, 256):
        block = np.arange(low, min(low + 256, count))
        values[low : low + 256] = problem.priced(block, prices.capacity, weights)
    out: Ints = problem.unplaced_by_stage() @ weights + _floor_prices(problem, prices)
    out[problem.must] = BLOCKED
    total = _without_parties(problem, prices, weights)
    slack, slack_out = np.empty_like(values), np.empty_like(out)
    least = np.minimum(out, values.min(axis=1, initial=BLOCKED))
    in_trees = {q for pair in forest for q in pair}
    impossible = False
    for q in range(count):
        if q not in in_trees:
            impossible |= bool(least[q] >= BLOCKED)
            total += int(least[q])
            slack[q], slack_out[q] = _above(values[q], least[q]), _above(out[q : q + 1], least[q])[0]
    for tree in _trees(forest):
        value = _tree(problem, tree, values, out, int(weights[problem.party_cost_stage]), slack, slack_out)
        impossible |= value >= BLOCKED
        total += value
    return Bound(total, slack, slack_out, impossible)


def _above(values: Ints, least: np.int64 | int) -> Ints:
    return np.where(values >= BLOCKED, BLOCKED, values - least)


def _floor_prices(problem: Problem, prices: Prices) -> Ints:
    """Σ μ_g p_h of each party's members, which leaving it out costs more."""
    extra = np.zeros(len(problem.persons), dtype=np.int64)
    for price, floor in zip(prices.floors, problem.floors, strict=True):
        extra[floor.households] += int(price) * problem.persons[floor.households]
    return np.array([sum(int(extra[h]) for h in party) for party in problem.parties], dtype=np.int64)


def largest_costs(problem: Problem) -> list[int]:
    """An upper limit of what one party costs in each stage, placed or not; links with others among it."""
    most = [0] * len(problem.stages)
    for layer, stage in zip(problem.terms, problem.term_stage, strict=True):
        most[stage] += int(np.abs(layer.value).max(initial=0))
    for cost, stage in zip(problem.unplaced_cost, problem.unplaced_stage, strict=True):
        most[stage] = max(most[stage], abs(int(cost)))
    rooms = max((size for sizes in problem.sizes if sizes is not None for size in sizes), default=0)
    most[problem.spare_stage] += problem.spare(rooms * 50)
    members = max((len(party) for party in problem.parties), default=1)
    most = [value * members for value in most]
    links = problem.party_cost_stage
    most[links] += max((int(v.max(initial=0)) for v in problem.party_cost.values()), default=0)
    most[links] += sum(-(-link.amount[0] * link.cap_km10[0] // (link.amount[1] * link.cap_km10[1])) for link in problem.links)
    most[problem.floor_stage] += max((floor.least_rate + 1 for floor in problem.floors), default=0)
    return most


def price_scale(problem: Problem) -> int:
    """Prices are integers in units of 1/scale: a million, or less where costs are so large that sums could overflow."""
    scale = SCALE
    while scale > 1 and scale * max(largest_costs(problem)) > share_of(problem):
        scale //= 10
    return scale


def share_of(problem: Problem) -> int:
    """How large each of the summands of a priced choice may be: a stage's costs, those held before, prices of use, floors."""
    return MOST // (4 * (len(problem.stages) + 2))


def highest_price(problem: Problem) -> int:
    """The most that a unit of use may be priced at, in units of 1/scale: what a whole party pays for all rows stays below its share."""
    persons = max(1, int(problem.persons.max(initial=1)), 0 if problem.in_use is None else int(problem.in_use.max(initial=1)))
    rows = max(1, max((len(rows) for rows in problem.resources_of), default=1))
    return share_of(problem) // (rows * persons * max((len(party) for party in problem.parties), default=1))


def whole_prices(problem: Problem, prices: Floats, floors: Floats) -> Prices:
    """Prices of a problem of one stage, by resource and by floor in cost units, as integers that any price may be."""
    scale = price_scale(problem)

    def whole(values: Floats) -> Ints:
        return np.asarray(np.floor(np.clip(values * scale, 0.0, 2.0**62)), dtype=np.int64)

    most = np.array([scale * f.rate[0] // f.rate[1] for f in problem.floors], dtype=np.int64)
    return Prices(scale, 0, np.minimum(whole(prices), highest_price(problem)), np.minimum(whole(floors), most), (), ())


def _guard(problem: Problem, prices: Prices, weights: Ints) -> None:
    """Every sum below stays under BLOCKED, which stays under 2^63 when three of them meet."""
    members = max((len(party) for party in problem.parties), default=1)
    persons = members * max(1, int(problem.persons.max(initial=1)))
    total = sum(int(w) * most for w, most in zip(weights, largest_costs(problem), strict=True))
    if problem.in_use is not None:
        persons = max(persons, int(problem.in_use.max(initial=1)))
    rows = max((len(rows) for rows in problem.resources_of), default=1)
    total += (int(prices.capacity.max(initial=0)) * rows + int(prices.floors.sum())) * persons
    if total >= MOST:
        raise _too_large()


def _too_large() -> InputError:
    return InputError([Fault("policy.toml", 0, "", "numbers_too_large", "the weights make costs too large for exact arithmetic")])


def _trees(forest: Sequence[Pair]) -> list[list[Pair]]:
    """Edges of each tree as (parent, child), parents before their children."""
    near: dict[int, list[int]] = defaultdict(list)
    for a, b in forest:
        near[a].append(b)
        near[b].append(a)
    seen: set[int] = set()
    trees = []
    for root in sorted(near):
        if root in seen:
            continue
        seen.add(root)
        edges: list[Pair] = []
        queue = [root]
        for parent in queue:
            for child in sorted(near[parent]):
                if child not in seen:
                    seen.add(child)
                    edges.append((parent, child))
                    queue.append(child)
        trees.append(edges)
    return trees


def link_costs(problem: Problem, links: Sequence[Link], a: int, b: int, weight: int, at_a: Ints, at_b: Ints) -> Ints:
    """Weighted cost of all links between parties a and b for each choice of both; the last row and column: left out."""
    out = np.zeros((len(at_a) + 1, len(at_b) + 1), dtype=np.int64)
    for link in links:
        if {link.first, link.second} != {a, b}:
            continue
        cost = problem.link_matrix(link, at_a, at_b) if link.first == a else problem.link_matrix(link, at_b, at_a).T
        out[:-1, :-1] = np.minimum(out[:-1, :-1] + np.where(cost >= BLOCKED, BLOCKED, cost * weight), BLOCKED)
        if link.both_or_neither:
            out[-1, :-1] = BLOCKED
            out[:-1, -1] = BLOCKED
    return out


def pair_matrix(problem: Problem, links: Sequence[Link], a: int, b: int, weight: int, at_a: Ints, at_b: Ints) -> Ints:
    """`link_costs`, and BLOCKED for joint choices that no plan can hold."""
    out = link_costs(problem, links, a, b, weight, at_a, at_b)
    for i, j in crowded(problem, a, b, at_a, at_b):
        out[i, j] = BLOCKED
    return out


def crowded(problem: Problem, a: int, b: int, at_a: Ints, at_b: Ints) -> list[tuple[int, int]]:
    """Joint choices that no plan can hold: both in one offer that is not shared, at one time. Positions in at_a and at_b."""
    if not problem.overlap(a, b):
        return []
    place = {int(offer): j for j, offer in enumerate(at_b)}
    return [(i, place[int(offer)]) for i, offer in enumerate(at_a) if problem.exclusive[offer] and int(offer) in place]


def _tree(
    problem: Problem, edges: list[Pair], values: Ints, out: Ints, weight: int, slack: Ints, slack_out: Ints
) -> int:  # fmt: skip
    """Least value of a tree's joint placements; fills in the slack of every choice of its parties (min-marginals)."""
    nodes = [edges[0][0]] + [child for _, child in edges]
    where = {q: np.flatnonzero(values[q] < BLOCKED) for q in nodes}
    own = {q: np.append(values[q][where[q]], out[q]) for q in nodes}
    cost = {
        (p, c): pair_matrix(problem, problem.links, p, c, weight, where[p], where[c]) for p, c in edges
    }  # fmt: skip
    up: dict[int, Ints] = {}
    below = {q: own[q].copy() for q in nodes}
    for parent, child in reversed(edges):
        up[child] = np.minimum((cost[parent, child] + below[child][None, :]).min(axis=1), BLOCKED)
        below[parent] = np.minimum(below[parent] + up[child], BLOCKED)
    whole = {edges[0][0]: below[edges[0][0]]}
    for parent, child in edges:
        without = np.where(whole[parent] >= BLOCKED, BLOCKED, whole[parent] - up[child])
        down = np.minimum((cost[parent, child] + without[:, None]).min(axis=0), BLOCKED)
        whole[child] = np.minimum(below[child] + down, BLOCKED)
    least = int(whole[edges[0][0]].min())
    for q in nodes:
        slack[q] = BLOCKED
        above = _above(whole[q], least)
        slack[q][where[q]] = above[:-1]
        slack_out[q] = above[-1]
    return least

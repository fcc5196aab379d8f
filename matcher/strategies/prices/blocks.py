"""Exact pieces: some hundred parties around one that has fared badly, placed anew as an integer program, all else held.

At good prices most parties have an arc that is as good as their best, and what a plan costs too much sits with few. A piece
grows from one of these along arcs that are little worse than best, like the paths of shortest-path searches, since only who is
near in that sense can be part of an exchange that helps. The linear program may come first, by GLOP; who stays there stays, unless
they share an offer with somebody in two minds, and SCIP places the rest, from where they are (relaxation induced neighbourhoods:
Danna, Rothberg and Le Pape, 2005). What the solvers say is not taken on trust: a piece is taken only if every row holds and the cost
falls. Pieces without a common offer or party are solved at the same time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from matcher.layers import Bools, Ints
from matcher.pricing.arcs import Choices
from matcher.pricing.kernels import jit
from matcher.pricing.shelves import sift
from matcher.pricing.threads import processors
from matcher.pricing.uses import offer_of_row
from matcher.strategies.prices.field import Field, Floats, loads_of
from matcher.strategies.prices.house import Standing
from matcher.strategies.prices.linear import arcs_of, make_program, solve_program, uses_of
from matcher.strategies.prices.room import Guide

Found = tuple[Ints | None, bool]
"""(chosen arc of each party of a piece, -1 for none, or None if nothing was found; the clock cut the search)."""
WHOLE, STAYS = 0.999, 20.0
"""What counts as a whole arc in the linear program, and how much cheaper the arc is there that somebody has (cost units), for whoever
moves for nothing makes the integer program larger."""
WITHIN = 1.0
"""A piece is done when it is this near the best, in cost units for each of its parties."""
AGAIN = 0.3
"""What a party's loss counts after it was in a piece that could not mend it."""
WAITING = 0.2
"""Of parties that a piece may hold, so many more may be out and want to come in."""
LITTLE = 20
"""A piece counts for that part of a full one at the least."""


@dataclass(frozen=True)
class Sweep:
    """pieces: how many (small ones count for less); at_once: how many of them may be on their way; parties: in each at the most, those who
    are out and come in besides not counted; seconds: asked for the safety net of each program; nodes: of its search tree; least: losses
    smaller than this are left alone (cost units). relaxed: who stays in the linear program does not move, unless they share an offer with
    somebody who does not; narrow: arcs are not worse than best by more than so much, but for those that stand."""

    pieces: int
    at_once: int
    parties: int
    seconds: Callable[[], float]
    nodes: int
    least: float
    relaxed: bool
    narrow: float


@dataclass
class Ground:
    """What pieces are cut from. arc: of each party in `choices`, -1 where it is out; loss: what that is worse than its best;
    tried, tried_offer: what a loss still counts; held: who must not move; load: of every row; prices, owner: of every row, the offer.
    hurried: the clock has cut a piece."""

    choices: Choices
    guide: Guide
    arc: Ints
    out: Ints
    loss: Floats
    tried: Floats
    tried_offer: Floats
    held: Bools
    load: Ints
    capacity: Ints
    prices: Floats
    owner: Ints
    hurried: bool = False

    def offers(self) -> Ints:
        """Where everybody is, -1 for who is out."""
        home = np.full(len(self.arc), -1, dtype=np.int64)
        placed = self.arc >= 0
        home[placed] = self.choices.offer[self.arc[placed]]
        return home

    def room_sets(self) -> Ints:
        """The room set of everybody, -1 where none counts."""
        rooms = np.full(len(self.arc), -1, dtype=np.int64)
        placed = self.arc >= 0
        rooms[placed] = self.choices.set[self.arc[placed]]
        return rooms


@dataclass(frozen=True)
class Piece:
    """parties: that may move; choices: their arcs, in this order, and where these stand in all (`arcs`); now: position of the arc that
    each has, -1 for none; free: what is left of every row with all of them gone; offers: where they are or might go."""

    parties: Ints
    choices: Choices
    arcs: Ints
    now: Ints
    free: Ints
    offers: Ints


def make_ground(
    field: Field, choices: Choices, guide: Guide, standing: Standing, out: Ints, held: Bools, prices: Floats
) -> Ground:  # fmt: skip
    """The standing plan among its arcs; everybody's own arc has to be one of them."""
    owner = np.repeat(np.arange(len(out)), np.diff(choices.start))
    same = np.flatnonzero((choices.offer == standing.offer[owner]) & (choices.set == standing.set[owner]))
    arc = np.full(len(out), -1, dtype=np.int64)
    arc[owner[same]] = same
    loss = np.where(arc >= 0, guide.worth[np.maximum(arc, 0)] if len(guide.worth) else 0.0, out) - guide.best
    load = loads_of(field, standing)
    uses = field.core.uses
    return Ground(
        choices, guide, arc, out, loss, np.ones(len(out)), np.ones(field.core.offers), held, load, field.problem.capacity,
        prices, offer_of_row(uses),
    )  # fmt: skip


def improve(ground: Ground, plan: Sweep, watch: Callable[[int], bool]) -> int:
    """Mend the worst losses, in place; returns the change of cost. watch: told how many parties each piece had, returns False to
    begin no more of them.

    Some pieces are on their way at once, and have no party and no offer in common. They land in the order in which they began, each
    time before another begins: so what comes out does not depend on which thread was quicker.
    """
    change, left = 0, plan.pieces * plan.parties
    flying: deque[tuple[Piece, Future[Found]]] = deque()
    closed, busy = np.zeros(len(ground.tried_offer), dtype=np.bool_), ground.held.copy()
    with ThreadPoolExecutor(min(plan.at_once, processors())) as pool:
        try:
            while True:
                while left > 0 and len(flying) < plan.at_once:
                    piece = _next_piece(ground, plan, closed, busy)
                    if piece is None:
                        break
                    left -= max(len(piece.parties), plan.parties // LITTLE)
                    busy[piece.parties], closed[piece.offers] = True, True
                    flying.append((piece, pool.submit(_solve, piece, ground.out, plan)))
                if not flying:
                    return change
                piece, answer = flying.popleft()
                chosen, hurried = answer.result()
                ground.hurried |= hurried
                if chosen is not None:
                    change += _take(ground, piece, chosen)
                busy[piece.parties], closed[piece.offers] = False, False
                ground.tried[piece.parties] *= AGAIN
                ground.tried_offer[piece.offers] *= AGAIN
                if not watch(len(piece.parties)):
                    left = 0
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _next_piece(ground: Ground, plan: Sweep, closed: Bools, busy: Bools) -> Piece | None:
    """Grow a piece from whoever has lost most, over offers that are not closed and parties that are not busy."""
    choices, guide, offer = ground.choices, ground.guide, ground.offers()
    weight = np.where(busy, 0.0, ground.loss * ground.tried)
    weight[(offer >= 0) & closed[offer]] = 0.0
    empty = np.maximum(ground.capacity - ground.load, 0) * ground.prices
    left = np.bincount(ground.owner, weights=empty, minlength=len(closed)) * ground.tried_offer
    left[closed] = 0.0
    order = np.argsort(offer, kind="stable")
    edges = np.searchsorted(offer[order], np.arange(len(closed) + 1))
    inside, reached = np.zeros(len(weight), dtype=np.bool_), np.zeros(len(closed), dtype=np.bool_)
    seed, hole = int(np.argmax(weight)), int(np.argmax(left))
    most = max(float(weight[seed]), float(left[hole]))
    if most < plan.least:
        return None
    if weight[seed] >= left[hole]:
        seeds, reach = np.array([seed]), float(ground.loss[seed])
    else:
        seeds, reach = order[edges[hole] : edges[hole + 1]], float(left[hole] / ground.tried_offer[hole])
        seeds = seeds[~busy[seeds]]
        reached[hole] = True
    reach = max(reach, plan.least)
    _grow(
        choices.start, choices.offer, guide.rank, guide.worth, guide.best, edges, order, busy, closed,
        seeds, plan.parties, reach, inside, reached,
    )  # fmt: skip
    inside |= _waiting(ground, reached, reach, busy, int(WAITING * plan.parties))
    parties = np.flatnonzero(inside)
    reached[offer[parties][offer[parties] >= 0]] = True
    ground.tried[seeds] *= AGAIN
    return _cut(ground, parties, reached, min(reach, plan.narrow), hole if weight[seed] < left[hole] else -1)


def _waiting(ground: Ground, reached: Bools, reach: float, busy: Bools, most: int) -> Bools:
    """Those who are out and might live on what the piece has reached: the worst of them first, those too who lose nothing by it, for to
    change who is out may be what helps."""
    waits = np.flatnonzero((ground.arc < 0) & ~busy)
    arcs, position = arcs_of(ground.choices, waits)
    near = reached[ground.choices.offer[arcs]] & (ground.guide.worth[arcs] - ground.guide.best[waits[position]] <= reach)
    waits = waits[np.unique(position[near])]
    inside = np.zeros(len(ground.arc), dtype=np.bool_)
    inside[waits[np.argsort(-ground.loss[waits], kind="stable")][:most]] = True
    return inside


@jit
def _grow(start, offer, rank, worth, best, edges, occupant, busy, closed, seeds, most, reach, inside, reached):
    """Parties nearest to the seeds, by what arcs on the way to them are worse than best (Dijkstra's algorithm)."""
    parties = len(inside)
    far = np.full(parties, np.inf)
    offer_far = np.full(len(closed), np.inf)
    key, who, size = np.empty(8 * parties + 16), np.empty(8 * parties + 16, dtype=np.int64), 0
    for i in range(len(seeds)):
        key[i], who[i] = 0.0, seeds[i]
        far[seeds[i]] = 0.0
    size = len(seeds)
    count = 0
    while size > 0 and count < most:
        distance, q = key[0], who[0]
        size -= 1
        key[0], who[0] = key[size], who[size]
        sift(who, key, 0, size)
        if inside[q] or distance > far[q]:
            continue
        inside[q] = True
        count += 1
        for j in range(start[q], start[q + 1]):
            e = rank[j]
            there = distance + max(0.0, worth[e] - best[q])
            if there > reach:
                break
            a = offer[e]
            if closed[a] or there >= offer_far[a]:
                continue
            offer_far[a] = there
            reached[a] = True
            for m in range(edges[a], edges[a + 1]):
                z = occupant[m]
                if busy[z] or inside[z] or there >= far[z] or size >= len(key):
                    continue
                far[z] = there
                i = size
                key[i], who[i] = there, z
                size += 1
                while i > 0:
                    p = (i - 1) // 2
                    if key[p] < key[i] or (key[p] == key[i] and who[p] <= who[i]):
                        break
                    key[i], key[p] = key[p], key[i]
                    who[i], who[p] = who[p], who[i]
                    i = p


def _cut(ground: Ground, parties: Ints, offers: Bools, reach: float, hole: int) -> Piece:
    """The program of some parties and offers: arcs that are not worse than `reach` and fit once all of them are gone; among these
    are those that stand."""
    choices, guide = ground.choices, ground.guide
    free = ground.capacity - ground.load
    _, rows, amounts = uses_of(choices, ground.arc[parties][ground.arc[parties] >= 0])
    np.add.at(free, rows, amounts)
    arcs, position = arcs_of(choices, parties)
    keep = offers[choices.offer[arcs]] & (guide.worth[arcs] - guide.best[parties[position]] <= reach)
    keep |= arcs == ground.arc[parties[position]]
    arcs, position = arcs[keep], position[keep]
    arc, rows, amounts = uses_of(choices, arcs)
    fits = np.bincount(arc[amounts > free[rows]], minlength=len(arcs)) == 0
    arcs, position = arcs[fits], position[fits]
    start = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.bincount(position, minlength=len(parties)))])
    some = choices._replace(
        start=start, offer=choices.offer[arcs], set=choices.set[arcs], cost=choices.cost[arcs], bundle=choices.bundle[arcs]
    )
    now = np.full(len(parties), -1, dtype=np.int64)
    stands = np.flatnonzero(arcs == ground.arc[parties[position]])
    now[position[stands]] = stands
    used = np.unique(np.append(some.offer, hole))
    return Piece(parties, some, arcs, now, free, used[used >= 0])


def _solve(piece: Piece, out: Ints, plan: Sweep) -> Found:
    """The linear program first, if that may settle who stays; then whole arcs for all others."""
    if not len(piece.choices.offer):
        return None, False
    costs, chosen = out[piece.parties], piece.now.copy()
    stays, hurried = np.zeros(len(costs), dtype=np.bool_), False
    if plan.relaxed:
        program = make_program(piece.choices, np.arange(len(costs)), costs, piece.free, integer=False, now=piece.now, stays=STAYS)
        relaxed = solve_program(program, integer=False, seconds=plan.seconds())
        hurried = relaxed.hurried
        if relaxed.values is None:
            return None, hurried
        stays = _settled(piece, relaxed.values)
    rest = np.flatnonzero(~stays)
    if not len(rest):
        return chosen, hurried
    free = piece.free.copy()
    _, rows, amounts = uses_of(piece.choices, chosen[stays & (chosen >= 0)])
    np.subtract.at(free, rows, amounts)
    program = make_program(piece.choices, rest, costs[rest], free, integer=True, now=piece.now[rest])
    answer = solve_program(program, integer=True, seconds=plan.seconds(), nodes=plan.nodes, within=WITHIN * len(piece.parties))
    hurried |= answer.hurried
    if answer.values is None:
        return None, hurried
    arcs, position = arcs_of(piece.choices, rest)
    used = np.flatnonzero(answer.values > 0.5)
    chosen[rest] = -1
    chosen[rest[position[used]]] = arcs[used]
    return chosen, hurried


def _settled(piece: Piece, values: Floats) -> Bools:
    """Who stays, wholly, in the linear program, and has no offer in common with somebody in two minds there."""
    arcs, position = arcs_of(piece.choices, np.arange(len(piece.parties)))
    used = np.bincount(position, weights=values, minlength=len(piece.parties))
    stays = (piece.now < 0) & (used < 1 - WHOLE)
    stays[position[(values > WHOLE) & (arcs == piece.now[position])]] = True
    some = np.flatnonzero((values > 1 - WHOLE) & (values <= WHOLE))
    # Whoever shares an offer with somebody in two minds is free to move too: else there is often no whole way to fit them in.
    contested = np.zeros(int(piece.choices.offer.max(initial=-1)) + 1, dtype=np.bool_)
    contested[piece.choices.offer[some]] = True
    there = piece.now >= 0
    stays[there] &= ~contested[piece.choices.offer[piece.now[there]]]
    return stays


def _take(ground: Ground, piece: Piece, chosen: Ints) -> int:
    """Move everybody to the chosen arcs if every row holds and it costs less; returns the change of cost."""
    choices, parties = piece.choices, piece.parties

    def worth(arcs: Ints) -> int:
        return int(np.where(arcs >= 0, choices.cost[np.maximum(arcs, 0)] if len(choices.cost) else 0, ground.out[parties]).sum())

    change = worth(chosen) - worth(piece.now)
    _, rows, amounts = uses_of(choices, chosen[chosen >= 0])
    left = piece.free.copy()
    np.subtract.at(left, rows, amounts)
    if change >= 0 or (left[rows] < 0).any():
        return 0
    _, rows_now, amounts_now = uses_of(choices, piece.now[piece.now >= 0])
    np.subtract.at(ground.load, rows_now, amounts_now)
    np.add.at(ground.load, rows, amounts)
    ground.arc[parties] = np.where(chosen >= 0, piece.arcs[np.maximum(chosen, 0)], -1)
    paid = np.where(ground.arc[parties] >= 0, ground.guide.worth[np.maximum(ground.arc[parties], 0)], ground.out[parties])
    ground.loss[parties] = paid - ground.guide.best[parties]
    return change

"""Exact pieces: some offers and all who live in them or are out, placed anew as an integer program by HiGHS, all else held.

A piece has a few hundred parties, so HiGHS solves it to its optimum or near it in about a second; pieces without a common
offer are solved two at a time. Partitioning granular problems at random loses little (Narayanan et al., 2021), and the next
sweep cuts differently. What HiGHS says is not taken on trust: a piece is taken only if every row holds and the cost falls.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from matcher.layers import Bools, Ints
from matcher.pricing.arcs import Choices, joined, nearest_offers, write_out
from matcher.strategies.prices.field import Field, Floats, loads_of
from matcher.strategies.prices.house import Standing
from matcher.strategies.prices.linear import Answer, arcs_of, make_program, solve_program, uses_of

WORKERS = 2
WHOLE = 0.999


@dataclass(frozen=True)
class Piece:
    """parties: that may move; choices: their arcs, in this order; now: position of the arc that each has, -1 for none; free: what is
    left of every row with all of them gone."""

    parties: Ints
    choices: Choices
    now: Ints
    free: Ints


def deal(field: Field, standing: Standing, held: Bools, pieces: int, chance: np.random.Generator) -> tuple[Ints, Ints]:
    """Deal the offers out to pieces at random: (piece of each offer, piece of each party). Each party goes with its offer, those who
    are out to any; -1 for who is held."""
    piece_of = chance.permutation(field.core.offers) % pieces
    home = np.where(standing.offer >= 0, piece_of[np.maximum(standing.offer, 0)], chance.integers(0, pieces, field.parties))
    home[held] = -1
    return piece_of, home


def make_piece(field: Field, standing: Standing, load: Ints, offers: Bools, parties: Ints, prices: Floats, keep: int) -> Piece:
    """The program of some parties and offers. keep: offers looked at, nearest at the prices; three times that for who is out."""
    board = field.board_of(offers)
    board.set_prices(prices)
    out = standing.offer[parties] < 0
    near, costs = nearest_offers(board, 3 * keep, parties)
    near[np.ix_(~out, np.arange(near.shape[1]) >= keep)] = -1
    lists = joined(board.core, parties, [(near, costs)], standing.offer[parties], standing.set[parties])
    choices = write_out(board, lists, 3)
    owner = np.repeat(np.arange(len(parties)), np.diff(choices.start))
    same = (choices.offer == standing.offer[parties][owner]) & (choices.set == standing.set[parties][owner])
    now = np.full(len(parties), -1, dtype=np.int64)
    now[owner[same]] = np.flatnonzero(same)
    free = field.problem.capacity - load
    _, rows, amounts = uses_of(choices, now[now >= 0])
    np.add.at(free, rows, amounts)
    return Piece(parties, choices, now, free)


def improve(field: Field, standing: Standing, out: Ints, prices: Floats, held: Bools, plan: Sweep, watch: Callable[[], bool]) -> int:
    """One sweep over all pieces, in place; returns the change of cost. watch: asked between pieces, returns False to stop."""
    chance = plan.chance
    piece_of, home = deal(field, standing, held, plan.pieces, chance)
    load = loads_of(field, standing)
    change = 0
    members = np.argsort(home, kind="stable")
    edges = np.searchsorted(home[members], np.arange(plan.pieces + 1))
    for first in range(0, plan.pieces, WORKERS):
        if not watch():
            break
        batch = []
        for b in range(first, min(first + WORKERS, plan.pieces)):
            parties = np.sort(members[edges[b] : edges[b + 1]])
            if len(parties):
                piece = make_piece(field, standing, load, piece_of == b, parties, prices, plan.keep)
                if len(piece.choices.offer):
                    batch.append(piece)
        for piece, chosen in zip(batch, _solve_all(field, batch, out, plan), strict=True):
            if chosen is not None:
                change += _take(piece, chosen, standing, load, out)
    return change


@dataclass(frozen=True)
class Sweep:
    """pieces: how many; keep: offers of a party; seconds: safety net of one piece; nodes: of its search tree."""

    pieces: int
    keep: int
    seconds: float
    nodes: int
    chance: np.random.Generator


def _solve_all(field: Field, batch: list[Piece], out: Ints, plan: Sweep) -> list[Ints | None]:
    """Two pieces at a time, which have no offer in common."""
    answers: list[Ints | None] = [None] * len(batch)
    failed: list[BaseException] = []

    def work(i: int) -> None:
        try:
            answers[i] = _solve(field, batch[i], out, plan)
        except BaseException as error:  # noqa: BLE001  (raised again by the caller's thread)
            failed.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(1, len(batch))]
    for thread in threads:
        thread.start()
    if batch:
        work(0)
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return answers


def _solve(field: Field, piece: Piece, out: Ints, plan: Sweep) -> Ints | None:
    """Chosen arc of each party of the piece, -1 for none; None if nothing was found.

    The linear program first, by GLOP; who has one whole arc there keeps it, and the others are placed by an integer program.
    """
    everybody = np.arange(len(piece.parties))
    costs = out[piece.parties]
    relaxed = _ask(piece, everybody, costs, piece.free, plan, integer=False)
    if relaxed is None:
        return None
    values = relaxed.values
    chosen = np.full(len(everybody), -1, dtype=np.int64)
    whole = np.flatnonzero(values > WHOLE)
    chosen[np.searchsorted(piece.choices.start, whole, side="right") - 1] = whole
    touched = np.zeros(len(everybody), dtype=np.bool_)
    some = np.flatnonzero((values > 1 - WHOLE) & (values <= WHOLE))
    touched[np.searchsorted(piece.choices.start, some, side="right") - 1] = True
    # Whoever shares an offer with somebody in two minds is free to move too: else there is often no whole way to fit them in.
    contested = np.zeros(field.core.offers, dtype=np.bool_)
    contested[piece.choices.offer[some]] = True
    shares = (chosen >= 0) & contested[piece.choices.offer[np.maximum(chosen, 0)]]
    rest = np.flatnonzero((chosen < 0) | touched | shares)
    chosen[rest] = -1
    if not len(rest):
        return chosen
    free = piece.free.copy()
    _, rows, amounts = uses_of(piece.choices, chosen[chosen >= 0])
    np.subtract.at(free, rows, amounts)
    answer = _ask(piece, rest, costs[rest], free, plan, integer=True)
    if answer is None:
        return None
    arcs, position = arcs_of(piece.choices, rest)
    used = np.flatnonzero(answer.values > 0.5)
    chosen[rest[position[used]]] = arcs[used]
    return chosen


def _ask(piece: Piece, chosen: Ints, costs: Ints, free: Ints, plan: Sweep, *, integer: bool) -> Answer | None:
    program = make_program(piece.choices, chosen, costs, free, integer=integer)
    return solve_program(program, integer=integer, seconds=plan.seconds, nodes=plan.nodes)


def _take(piece: Piece, chosen: Ints, standing: Standing, load: Ints, out: Ints) -> int:
    """Move everybody to the chosen arcs if every row holds and it costs less; returns the change of cost."""
    choices = piece.choices

    def worth(arcs: Ints) -> int:
        return int(np.where(arcs >= 0, choices.cost[np.maximum(arcs, 0)], out[piece.parties]).sum())

    change = worth(chosen) - worth(piece.now)
    _, rows, amounts = uses_of(choices, chosen[chosen >= 0])
    left = piece.free.copy()
    np.subtract.at(left, rows, amounts)
    if change >= 0 or (left[rows] < 0).any():
        return 0
    _, rows_now, amounts_now = uses_of(choices, piece.now[piece.now >= 0])
    np.subtract.at(load, rows_now, amounts_now)
    np.add.at(load, rows, amounts)
    placed = chosen >= 0
    standing.offer[piece.parties] = np.where(placed, choices.offer[np.maximum(chosen, 0)], -1)
    standing.set[piece.parties] = np.where(placed, choices.set[np.maximum(chosen, 0)], -1)
    return change

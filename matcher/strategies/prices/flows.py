"""Exact re-placement of very many parties at once, as a flow of least cost.

Whoever takes a flat or a room takes one unit, whatever their number; parties of one size take one unit of that size of a
dormitory's beds. So, with everybody else held where they are, placing all of them best is an assignment, which OR-Tools'
SimpleMinCostFlow solves to its optimum. What takes of several rows at once stays where it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.graph.python import min_cost_flow  # type: ignore[import-untyped]

from matcher.errors import InternalError
from matcher.layers import Bools, Ints
from matcher.pricing.arcs import Choices
from matcher.pricing.uses import ANY_DATE, PERSONS, ROOMS, UNIT, Uses
from matcher.strategies.prices.classes import implied_rows
from matcher.strategies.prices.house import OUT, House, enter, leave

MOST_COST = 1 << 40


@dataclass(frozen=True)
class Lanes:
    """Which arcs take one unit of one row. row: of each arc, -1 where it takes otherwise; beds: persons that the unit stands for
    on rows that count persons, 0 on rows that count units."""

    row: Ints
    beds: Ints


def make_lanes(uses: Uses, choices: Choices) -> Lanes:
    """Sort the arcs. Rows of persons beside rooms that cannot be overfilled as long as the rooms are not do not count."""
    if not len(uses.kind):  # nothing is counted anywhere
        return Lanes(np.full(len(choices.bundle), -1, dtype=np.int64), np.zeros(len(choices.bundle), dtype=np.int64))
    idle = implied_rows(uses)
    length = np.diff(choices.use_start)
    owner = np.repeat(np.arange(len(length)), length)
    counted = ~idle[choices.use_row]
    count = np.bincount(owner[counted], minlength=len(length))
    row, amount = np.full(len(length), -1, dtype=np.int64), np.zeros(len(length), dtype=np.int64)
    row[owner[counted]] = choices.use_row[counted]
    amount[owner[counted]] = choices.use_amount[counted]
    kind = np.where(row >= 0, uses.kind[row], -1)
    units = ((kind == UNIT) | (kind == ROOMS)) & (amount == 1)
    good = (count == 1) & (uses.date[row] == ANY_DATE) & (units | (kind == PERSONS))
    row = np.where(good, row, -1)
    beds = np.where(good & (kind == PERSONS), amount, 0)
    return Lanes(row[choices.bundle], beds[choices.bundle])


class Flow:
    """Flows over one set of arcs. near: first arcs of each party that are offered; drawn: more of its arcs, by chance."""

    def __init__(self, uses: Uses, choices: Choices, held: Bools, near: int = 6, drawn: int = 10) -> None:
        self.choices, self.lanes, self.held, self.near, self.drawn = choices, make_lanes(uses, choices), held, near, drawn
        self.size = np.diff(choices.start)

    def run(self, house: House, beds: int, chance: np.random.Generator) -> int:
        """Re-place all that live on units, or in beds beside others in parties of `beds`. Returns the change of cost, at most 0."""
        choices, lanes = self.choices, self.lanes
        if not len(choices.offer):
            return 0
        here = house.arc
        on = np.where(here >= 0, lanes.row[here], -2)
        wide = np.where(here >= 0, lanes.beds[here], 0)
        movers = np.flatnonzero(~self.held & (self.size > 0) & ((here < 0) | ((on >= 0) & ((wide == 0) | (wide == beds)))))
        if not len(movers):
            return 0
        arc, owner = self._offered(movers, here[movers], chance)
        fit = (lanes.row[arc] >= 0) & ((lanes.beds[arc] == 0) | (lanes.beds[arc] == beds))
        fit &= (choices.cost[arc] < house.out[movers[owner]]) | (arc == here[movers[owner]])
        arc, owner = arc[fit], owner[fit]
        rows, column = np.unique(lanes.row[arc], return_inverse=True)
        unit = np.zeros(len(rows), dtype=np.int64)
        unit[column] = np.maximum(1, lanes.beds[arc])
        held = np.bincount(np.searchsorted(rows, on[movers][on[movers] >= 0]), minlength=len(rows)) if len(rows) else np.zeros(0)
        free = (house.capacity[rows] - house.load[rows]) // unit + held.astype(np.int64)
        found = assign(choices.cost[arc], house.out[movers], owner, column.ravel(), free)
        chosen = np.where(found >= 0, arc[np.maximum(found, 0)], OUT) if len(arc) else found
        before = here[movers]
        change = int((np.where(chosen >= 0, choices.cost[chosen], house.out[movers]) - house.cost[movers]).sum())
        if change < 0:
            moved = np.flatnonzero(chosen != before)
            for i in moved:
                leave(house, choices, movers[i])
            for i in moved:
                enter(house, choices, movers[i], chosen[i])
        return min(change, 0)

    def _offered(self, movers: Ints, here: Ints, chance: np.random.Generator) -> tuple[Ints, Ints]:
        """(arcs, position of their mover): the first few, some by chance, and where it is; each once."""
        size, first = self.size[movers], self.choices.start[movers]
        near = np.minimum(np.arange(self.near)[None, :], size[:, None] - 1)
        drawn = (size[:, None] * chance.random((len(movers), self.drawn)) ** 1.5).astype(np.int64)
        chosen = np.concatenate([near, drawn], axis=1) + first[:, None]
        owner = np.repeat(np.arange(len(movers)), chosen.shape[1])
        stays = np.flatnonzero(here >= 0)
        arc, owner = np.concatenate([chosen.ravel(), here[stays]]), np.concatenate([owner, stays])
        arc, index = np.unique(arc, return_index=True)
        return arc, owner[index]


def assign(costs: Ints, out: Ints, owner: Ints, column: Ints, free: Ints) -> Ints:
    """Everybody to one of their arcs or out, at the least cost: position of the chosen arc of each mover, or -1.

    By arc: costs, owner (position of the mover), column (position of the row, of which it takes one unit). out: cost of each mover's being
    out. free: units of each row.
    """
    movers, rows = len(out), len(free)
    sink = movers + rows
    flow = min_cost_flow.SimpleMinCostFlow()
    tail = np.concatenate([owner, np.arange(movers), movers + np.arange(rows)]).astype(np.int32)
    head = np.concatenate([movers + column, np.full(movers, sink), np.full(rows, sink)]).astype(np.int32)
    capacity = np.concatenate([np.ones(len(owner) + movers, dtype=np.int64), np.maximum(free, 0)])
    price = np.concatenate([np.clip(costs, -MOST_COST, MOST_COST), np.clip(out, -MOST_COST, MOST_COST), np.zeros(rows, dtype=np.int64)])
    edges = flow.add_arcs_with_capacity_and_unit_cost(tail, head, capacity, price)
    supply = np.concatenate([np.ones(movers, dtype=np.int64), np.zeros(rows, dtype=np.int64), [-movers]])
    flow.set_nodes_supplies(np.arange(sink + 1, dtype=np.int32), supply)
    if flow.solve() != flow.OPTIMAL:
        raise InternalError("a flow that always has a solution was not solved")
    used = np.flatnonzero(np.asarray(flow.flows(edges[: len(owner)])) > 0)
    chosen = np.full(movers, -1, dtype=np.int64)
    chosen[owner[used]] = used
    return chosen

"""Why households are unplaced: the first reason code that holds, as far as it can be told without a search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from matcher.check.eligible import Eligible
from matcher.check.exact import Bools
from matcher.check.local import Local
from matcher.check.market import Market, open_market
from matcher.check.rows import set_aside_households
from matcher.check.world import World
from matcher.result import REASONS, UnplacedRow

Reasons = Mapping[str, tuple[str, ...]]


def check_unplaced_rows(world: World, unplaced: Sequence[UnplacedRow]) -> list[str]:
    """Persons, priority and reason of who has no place."""
    aside = set_aside_households(world)
    reasons = allowed_reasons(world, {row.household_id for row in unplaced if row.household_id in world.households})
    priority = world.guests.classes("priority")
    priorities = np.array([world.households.rows[k].priority for k in priority.first])[priority.code] if len(world.households) else ()
    faults: list[str] = []
    for row in unplaced:
        i = row.household_id
        if i in world.households:
            k = world.households.position[i]
            faults += _check_row(world, reasons, row, (int(world.persons[k]), int(priorities[k])))
        elif i in aside:
            if row.persons not in aside[i]:
                faults.append(f"[persons] {i} does not have {row.persons} persons")
            if row.reason != "quarantined":
                faults.append(f"[reason] {i} is quarantined, not {row.reason}")
    return faults


def _check_row(world: World, reasons: Reasons, row: UnplacedRow, right: tuple[int, int]) -> Iterator[str]:
    i = row.household_id
    if (row.persons, row.priority) != right:
        yield f"[persons] {i} has {right[0]} persons and priority {right[1]}"
    if i in world.fixed:
        yield f"[fixed] {i} is unplaced, but is kept in {world.offer_name(i, world.fixed[i])}"
    elif row.reason not in reasons[i]:
        yield f"[reason] {i} is unplaced for {' or '.join(reasons[i])}, not {row.reason or 'no reason'}"


def allowed_reasons(world: World, ids: Iterable[str]) -> Reasons:
    """The first reason code that holds for each household that is not fixed; several where only a search could tell them apart."""
    reasons: dict[str, tuple[str, ...]] = {i: (world.left_out[i],) for i in ids if i in world.left_out}
    free = [world.households.position[i] for i in ids if world.is_free(i)]
    if free:
        reasons |= _Choices(world, open_market(world)).reasons(free)
    return reasons


class _Choices:
    """What free households could have had."""

    def __init__(self, world: World, market: Market) -> None:
        self.world = world
        self.market = market
        self.eligible = Eligible(world, market)
        self.local = Local(world, market)

    def reasons(self, households: Sequence[int]) -> dict[str, tuple[str, ...]]:
        """Reasons of households by position, a class of them at a time."""
        like = self.eligible.classes().code
        found: dict[str, tuple[str, ...]] = {}
        last, fits, places = -1, np.zeros(0, dtype=bool), np.zeros(0, dtype=bool)
        for k in sorted(households, key=lambda k: (like[k], k)):
            if like[k] != last:
                last, fits = like[k], self.eligible.mask(k)
                places = self.market.any_by_place(fits)
            i = self.world.households.ids[k]
            by_offer = self.local.by_offer(i)
            found[i] = self._reasons(i, (fits if by_offer else places) & self.local.reach(i, by_offer=by_offer), by_offer)
        return found

    def _reasons(self, i: str, choices: Bools, by_offer: bool) -> tuple[str, ...]:
        """choices: offers, or places, that pass all rules but `tie`."""
        if not choices.any():
            return ("no_eligible",)
        if not (choices & self.local.bonds_hold(i, by_offer=by_offer)).any():
            return ("tie",)
        ids = self.world.party_of(i).ids
        if any(self.world.is_stranded(member) for member in ids):
            return ("split_pair",)
        # Required ties between free households can leave no joint choice, which only a search over both could tell.
        bound = any(row.binds for member in ids for row in self.world.links_of.get(member, ()))
        return REASONS[REASONS.index("tie" if bound else "split_pair") :]

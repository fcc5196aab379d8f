"""Which fixed decisions contradict each other: pins that no rule allows, and the smallest set of pins that do not fit together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from matcher.compile import Compiled, compile_without_pins
from matcher.errors import ContradictionError
from matcher.strategies.feasible import can_place, smallest_hitting_set
from matcher.wording.tables import said_of_one


def refuse_impossible_pins(compiled: Compiled) -> None:
    """Raises ContradictionError for pins that break a rule, naming the rule; all such pins at once."""
    sentences, ids = [], []
    for household_id in sorted(compiled.roles.pins):
        if household_id in compiled.roles.bereft:
            sentences.append(f"{household_id} is pinned, but is bound to a household that is left out (split_pair)")
        elif codes := _broken_rules(compiled, household_id):
            words = ", ".join(f"{code}: what it is pinned to {said_of_one(code)}" for code in codes)
            sentences.append(f"{household_id} is pinned where it may not go ({words})")
        else:
            continue
        ids.append(household_id)
    if sentences:
        raise ContradictionError("pins in overrides.csv break the rules: " + "; ".join(sentences), ids)


def _broken_rules(compiled: Compiled, household_id: str) -> list[str]:
    """Rules that strike out the last of the offers the pin allows; [] if one is left. The whole party counts."""
    problem = compiled.problem
    every = np.arange(problem.offers)
    party = compiled.party_ids(household_id)
    everybody = np.array([compiled.positions[h] for h in party])
    # The pins of others are not this pin's fault: whether they fit together is asked later.
    deciding = np.array([compiled.positions[h] for h in party if h == household_id or h not in compiled.roles.pins])
    layers = [
        (layer.name, np.all(layer.block(deciding if layer.name == "override" else everybody, every) > 0, axis=0)) for layer in problem.rules
    ]
    alive = np.ones(len(every), dtype=np.bool_)
    for name, holds in layers:
        if name == "override":
            alive &= holds
    wanted = alive.copy()
    codes: list[str] = []
    for name, holds in layers:
        if name != "override" and (alive & ~holds).any():
            codes.append(name)
        alive &= holds
    if alive.any():
        return []
    return list(dict.fromkeys(codes)) if wanted.any() else ["override"]


def smallest_conflict(compiled: Compiled) -> ContradictionError:
    """The smallest set of pins that cannot all be served, by implicit hitting sets (Ignatiev et al., Smallest MUS extraction
    with minimal hitting set dualization, CP 2015): a smallest set that meets every known correction set, until it conflicts.
    """
    trial_of = _Trial(compiled)
    pinned = sorted(compiled.positions[h] for h in compiled.roles.pins)
    corrections: list[frozenset[int]] = []
    while True:
        trial = smallest_hitting_set(pinned, corrections)
        if trial_of.can_serve(trial) is False:
            return _error(compiled, [compiled.households[h] for h in sorted(trial)])
        grown = set(trial)
        for h in pinned:
            if h not in grown and trial_of.can_serve(grown | {h}):
                grown.add(h)
        rest = frozenset(pinned) - grown
        if not rest:
            text = "the pins in overrides.csv could not be placed together within the limits"
            return ContradictionError(text, [compiled.households[h] for h in pinned])
        corrections.append(rest)


class _Trial:
    """Serves some pins as if the others had never been set."""

    def __init__(self, compiled: Compiled) -> None:
        free = compile_without_pins(compiled)
        self.problem, self.arcs = free.problem, free.problem.arcs()
        self.party_of = {h: q for q, party in enumerate(self.problem.parties) for h in party}
        every = np.arange(self.problem.offers)
        self.allowed = {}
        for household_id in compiled.roles.pins:
            h = compiled.positions[household_id]
            holds = [layer.block(np.array([h]), every)[0] > 0 for layer in compiled.problem.rules if layer.name == "override"]
            self.allowed[h] = np.logical_and.reduce(holds)

    def can_serve(self, pins: Iterable[int]) -> bool | None:
        """Is there a plan that serves all of `pins` (positions of households)? None: not settled within the limits."""
        keep = np.ones(len(self.arcs), dtype=np.bool_)
        for h in pins:
            keep &= (self.arcs.party != self.party_of[h]) | self.allowed[h][self.arcs.offer]
        return can_place(self.problem, self.arcs, {self.party_of[h] for h in pins}, keep)


def _error(compiled: Compiled, ids: Sequence[str]) -> ContradictionError:
    # Where one of them is protected, a target of any other would tell where that one is to go.
    secret = bool(set(ids) & compiled.roles.protected)
    wishes = ", ".join(h if secret else f"{h} ({_target(compiled, h)})" for h in sorted(ids))
    if len(ids) == 1:
        text = f"the pin of {wishes} cannot be served, for it or for those it must be placed with, as things stand"
    else:
        text = f"these pins cannot all be served together: {wishes}; lift or change one of them"
    return ContradictionError(text, ids)


def _target(compiled: Compiled, household_id: str) -> str:
    pin = compiled.roles.pins[household_id]
    return f"pinned to {pin.accommodation_id}" if pin.accommodation_id else "pinned to a place"

"""Which fixed decisions contradict each other: pins that no rule allows, and the smallest set of pins that do not fit together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matcher.compile import Compiled
from matcher.errors import ContradictionError
from matcher.problem import Arcs
from matcher.reasons import RULE_WORDS
from matcher.strategies.feasible import can_place, smallest_hitting_set


def refuse_impossible_pins(compiled: Compiled) -> None:
    """Raises ContradictionError for pins that break a rule, naming the rule; all such pins at once."""
    sentences, ids = [], []
    for household_id in sorted(compiled.roles.pins):
        if household_id in compiled.roles.bereft:
            sentences.append(f"{household_id} is pinned, but is bound to a household that is left out (split_pair)")
        elif codes := _broken_rules(compiled, household_id):
            words = ", ".join(f"{code}: the offers {RULE_WORDS[code]}" for code in codes)
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
    members = [compiled.positions[h] for h in compiled.party_ids(household_id)]
    layers = [(layer.name, np.all(layer.block(np.array(members), every) > 0, axis=0)) for layer in problem.rules]
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


def smallest_conflict(compiled: Compiled, arcs: Arcs) -> ContradictionError:
    """The smallest set of pins that cannot all be served, by implicit hitting sets (Ignatiev et al., Smallest MUS extraction
    with minimal hitting set dualization, CP 2015): a smallest set that meets every known correction set, until it conflicts.
    """
    problem = compiled.problem
    pinned = [q for q in range(len(problem.parties)) if problem.must[q]]
    corrections: list[frozenset[int]] = []
    while True:
        trial = smallest_hitting_set(pinned, corrections)
        if can_place(problem, arcs, trial) is False:
            return _error(compiled, sorted(trial))
        grown = set(trial)
        for q in pinned:
            if q not in grown and can_place(problem, arcs, grown | {q}):
                grown.add(q)
        rest = frozenset(pinned) - grown
        if not rest:
            return ContradictionError("the pins in overrides.csv could not be placed together within the limits", _ids(compiled, pinned))
        corrections.append(rest)


def _ids(compiled: Compiled, parties: Sequence[int]) -> list[str]:
    members = [compiled.households[h] for q in parties for h in compiled.problem.parties[q]]
    return [h for h in members if h in compiled.roles.pins]


def _error(compiled: Compiled, parties: Sequence[int]) -> ContradictionError:
    ids = _ids(compiled, parties)
    wishes = ", ".join(f"{h} ({_target(compiled, h)})" for h in sorted(ids))
    if len(ids) == 1:
        text = f"the pin of {wishes} cannot be served: there is no room there for it and everybody it must be placed with"
    else:
        text = f"these pins cannot all be served together: {wishes}; lift or change one of them"
    return ContradictionError(text, ids)


def _target(compiled: Compiled, household_id: str) -> str:
    pin = compiled.roles.pins[household_id]
    if household_id in compiled.roles.protected:
        return "pinned; protected"
    return f"pinned to {pin.accommodation_id}" if pin.accommodation_id else "pinned to a place"

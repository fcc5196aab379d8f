"""What changed between two runs: who moved, and which input changed. From the history alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matcher.fingerprints import Key, changed_parts
from matcher.history.database import HistoryError
from matcher.history.records import Decision, Proposal, Run
from matcher.history.store import History

NEW, CHANGED, DROPPED = "new", "changed", "dropped"


@dataclass(frozen=True, slots=True)
class Move:
    """A household whose placement differs. before, after: accommodation, None for none. why: what changed of the input, in words; empty
    where nothing did that concerns it alone, so that others' changes moved it. A protected one bears its id and `changed` only."""

    household_id: str
    change: str
    before: str | None
    after: str | None
    why: tuple[str, ...]
    protected: bool = False


@dataclass(frozen=True)
class Difference:
    """From one run to a later one. moves: by household. kept: households whose placement is the same. inputs: counts of what
    changed, by kind and what became of it. settings: keys of policy and options that differ."""

    first: Run
    second: Run
    moves: tuple[Move, ...]
    kept: int
    inputs: Mapping[str, Mapping[str, int]]
    settings: tuple[str, ...]
    known: bool


def difference(history: History, first: Run, second: Run) -> Difference:
    """Compare two published runs. Raises HistoryError where one of them published nothing, or was purged."""
    for run in (first, second):
        if run.outcome != "published":
            raise HistoryError(f"run {run.id} ({run.name}) was {run.outcome}, it has no placements to compare")
    before, after = ({p.household_id: p for p in history.proposals(run)} for run in (first, second))
    for run, found in ((first, before), (second, after)):
        if not found and run.counts.get("households", {}).get("placed", 0):
            raise HistoryError(f"the placements of run {run.id} ({run.name}) have been purged")
    known, changed = _changed_inputs(history, first, second)
    low, high = sorted((first.decisions_upto, second.decisions_upto))
    decided: dict[str, list[Decision]] = defaultdict(list)
    for one in history.decisions(upto=high):
        if one.number > low:
            for key in (f"h:{one.household_id}", f"a:{one.accommodation_id}" if one.action == "withdraw" else ""):
                decided[key].append(one)
    why = _Why(changed, decided)
    moves = [
        move
        for household_id in sorted(before.keys() | after.keys())
        if (move := _move(before.get(household_id), after.get(household_id), why)) is not None
    ]
    inputs: dict[str, Counter[str]] = defaultdict(Counter)
    for (kind, _), parts in changed.items():
        if kind in ("household", "accommodation"):
            inputs[kind][parts[0] if parts in (("added",), ("removed",)) else "changed"] += 1
    settings = tuple(f"{kind}: {part}" for kind in ("policy", "options", "travel", "places") for part in changed.get((kind, ""), ()))
    kept = sum(before[h].accommodation_id == after[h].accommodation_id for h in before.keys() & after.keys())
    return Difference(first, second, tuple(moves), kept, {k: dict(v) for k, v in sorted(inputs.items())}, settings, known)


def _move(before: Proposal | None, after: Proposal | None, why: _Why) -> Move | None:
    one = after or before
    assert one is not None
    if before is not None and after is not None and before.accommodation_id == after.accommodation_id:
        return None
    if any(p is not None and p.protected for p in (before, after)):
        return Move(one.household_id, CHANGED, None, None, (), protected=True)
    change = NEW if before is None else DROPPED if after is None else CHANGED
    homes = [None if p is None else p.accommodation_id for p in (before, after)]
    return Move(one.household_id, change, homes[0], homes[1], why.of(one.household_id, homes[0], homes[1]))


class _Why:
    """Looks up what changed that concerns one household."""

    def __init__(self, changed: Mapping[Key, tuple[str, ...]], decided: Mapping[str, list[Decision]]) -> None:
        self.changed, self.decided = changed, decided

    def of(self, household_id: str, before: str | None, after: str | None) -> tuple[str, ...]:
        out = []
        for one in self.decided.get(f"h:{household_id}", ()):
            out.append(f"decision {one.number}: {one.action} ({one.reason})")
        own = self.changed.get(("household", household_id))
        if own is not None:
            out.append(_of_row("household", own, "households.csv"))
        for offer, word in ((before, "offer before"), (after, "offer now")):
            if offer is None:
                continue
            for one in self.decided.get(f"a:{offer}", ()):
                out.append(f"{word} withdrawn by decision {one.number} ({one.reason})")
            parts = self.changed.get(("accommodation", offer))
            if parts is not None:
                out.append(_of_row(word, parts, "accommodations.csv"))
        return tuple(out)


def _of_row(whose: str, parts: tuple[str, ...], file: str) -> str:
    if parts in (("added",), ("removed",)):
        return f"{whose} {'new in' if parts == ('added',) else 'no longer in'} {file}"
    return f"{whose}: {', '.join(parts)} changed"


def _changed_inputs(history: History, first: Run, second: Run) -> tuple[bool, dict[Key, tuple[str, ...]]]:
    """(whether both runs have fingerprints, the columns that differ by kind and id)."""
    before, after = history.fingerprints(first), history.fingerprints(second)
    if not before or not after:
        return False, {}
    changed = {key: changed_parts(before.get(key), after.get(key)) for key in sorted(before.keys() | after.keys())}
    return True, {key: parts for key, parts in changed.items() if parts}


def plain(found: Difference) -> dict[str, Any]:
    """As printed by `matcher runs diff --json`."""
    moves = [
        {"household_id": move.household_id, "change": CHANGED}
        if move.protected
        else {"household_id": move.household_id, "change": move.change, "from": move.before, "to": move.after, "why": list(move.why)}
        for move in found.moves
    ]
    return {
        "first": found.first.name, "second": found.second.name, "moves": moves, "kept": found.kept,
        "inputs": {kind: dict(counts) for kind, counts in found.inputs.items()}, "settings": list(found.settings),
        "inputs_known": found.known,
    }  # fmt: skip

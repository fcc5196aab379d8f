"""The lottery as a promise that can be published before a run: the seed, and the sum of the list of ids it will be drawn over.

Who holds the promise and the list of ids can check that neither was chosen after the draw; who holds the run too, that equal
cases were served in the order of the lots (MODEL.md, Who decides).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from matcher.compile import compile_instance
from matcher.errors import Fault, InputError, UsageError
from matcher.lottery import settle_equals
from matcher.model import Instance
from matcher.result import Result
from matcher.rows import plan_of_rows
from matcher.usage import homes_of

METHOD = "HMAC-SHA-256(key: seed in decimal ASCII, message: household_id in UTF-8), ascending"


@dataclass(frozen=True)
class Commitment:
    """seed: key of the lots. households: how many ids. ids_sha256: over the sorted ids in UTF-8, each with a newline at its end.
    sha256: over the seed, a newline and ids_sha256: one number to read aloud."""

    seed: int
    households: int
    ids_sha256: str
    sha256: str
    method: str = METHOD

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self)


def commit(instance: Instance, seed: int) -> Commitment:
    """The promise for an instance. Raises UsageError for a seed below 0."""
    if seed < 0:
        raise UsageError("a seed is a whole number, 0 or more")
    ids = sorted(household.household_id for household in instance.households)
    total = hashlib.sha256("".join(f"{i}\n" for i in ids).encode("utf-8")).hexdigest()
    return Commitment(seed, len(ids), total, hashlib.sha256(f"{seed}\n{total}".encode("ascii")).hexdigest())


def read_commitment(text: str, file: str) -> Commitment:
    """A promise as it was published. Raises InputError where it is none."""
    try:
        data: Mapping[str, Any] = json.loads(text)
        return Commitment(int(data["seed"]), int(data["households"]), str(data["ids_sha256"]), str(data["sha256"]), str(data["method"]))
    except (ValueError, TypeError, KeyError):
        raise InputError([Fault(file, 0, "", "file_unreadable", "does not hold what `matcher lottery commit` writes")]) from None


def broken_promises(promise: Commitment, instance: Instance, result: Result | None = None) -> list[str]:
    """What is not as promised, as sentences; empty if all is. result: a run of the instance, whose seed and equal cases are looked at."""
    now = commit(instance, promise.seed)
    faults = []
    if promise.method != METHOD:
        faults.append("the promise names another method of drawing lots")
    if promise.sha256 != hashlib.sha256(f"{promise.seed}\n{promise.ids_sha256}".encode()).hexdigest():
        faults.append("the promise was changed: its own sum does not fit its seed and its list of ids")
    if now.ids_sha256 != promise.ids_sha256:
        faults.append(f"the list of ids is another one: {now.households} households now, {promise.households} promised")
    if result is not None:
        assert result.options is not None
        if result.options.seed != promise.seed:
            faults.append(f"the run used the seed {result.options.seed}, {promise.seed} was promised")
        else:
            faults += _unfair(result)
    return faults


def _unfair(result: Result) -> list[str]:
    """Equal cases that were not served in the order of the lots."""
    assert result.instance is not None and result.policy is not None and result.options is not None and result.options.date is not None
    compiled = compile_instance(result.instance, result.policy, result.options.date, result.options.seed)
    plan = plan_of_rows(compiled, result.placements)
    right = settle_equals(compiled.problem, plan)
    wrong = int((homes_of(compiled.problem, plan) != homes_of(compiled.problem, right)).sum())
    return [f"{wrong} households that are equal cases were not served in the order of their lots"] if wrong else []


def lots(seed: int, ids: Iterable[str]) -> list[tuple[str, str]]:
    """(household, lot) in the order in which equal cases are served."""
    key = str(seed).encode("ascii")
    drawn = [(hmac.digest(key, i.encode("utf-8"), "sha256").hex(), i) for i in ids]
    return [(i, lot) for lot, i in sorted(drawn)]

"""The child's side of `isolated`: reads one task from standard input, ships plans, proofs and the end over a pipe."""

from __future__ import annotations

import os
import pickle
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from matcher.bounds import Prices
from matcher.errors import InputError, MatcherError
from matcher.result import Plan
from matcher.strategies.registry import strategy


class _Pipe:
    """A watch that ships what it sees."""

    def __init__(self, number: int) -> None:
        self.number = number

    def send(self, kind: str, body: Any) -> None:
        data = pickle.dumps((kind, body))
        data = len(data).to_bytes(8, "big") + data
        while data:
            data = data[os.write(self.number, data) :]

    def on_plan(self, plan: Plan, cost: Sequence[int]) -> None:
        self.send("plan", (plan, tuple(cost)))

    def on_proof(self, stage: int, prices: Prices, bound: int) -> None:
        self.send("proof", (stage, prices, bound))


def _die_with_parent() -> None:
    """End of file on standard input means that the parent is gone, or done with us."""
    while os.read(sys.stdin.fileno(), 4096):
        continue
    os._exit(1)


def main() -> None:
    """Solve one task."""
    pipe = _Pipe(int(sys.argv[1]))
    try:
        name, problem, limits = pickle.load(sys.stdin.buffer)  # noqa: S301  (from our own parent)
    except (EOFError, pickle.UnpicklingError):
        os._exit(1)  # the parent has gone before it had said all, and nobody is there to be told
    threading.Thread(target=_die_with_parent, daemon=True).start()
    limits = replace(limits, deadline=time.monotonic() + limits.deadline)
    try:
        outcome = strategy(name).solve(problem, limits, pipe)
    except InputError as error:
        pipe.send("faults", error.faults)
        return
    except MatcherError as error:
        pipe.send("error", str(error))
        return
    pipe.send("end", outcome)


if __name__ == "__main__":
    main()

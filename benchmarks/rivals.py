"""`python -m benchmarks.rivals FOLDER SECONDS`: greedy and plain CP-SAT on one instance, in a process of their own.

Both get the compiled problem as a gift (reading and compiling is not counted for them), and `matcher.evaluate` says what
their plans cost and whether they hold. Prints one JSON object.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.cases import DATE
from benchmarks.plain import PlainModel
from benchmarks.program import GRACE_S, run_module
from matcher import Plan, Policy, Problem, read_instance, read_policy
from matcher.compile import Compiled, compile_instance
from matcher.evaluate import broken, cost_by_stage
from matcher.problem import UNPLACED
from matcher.strategies.greedy import greedy_plan

SLACK_S = 300.0
"""Building the plain model takes its own time, which its limit does not count."""


def run_rivals(folder: Path, seconds: float) -> dict[str, Any]:
    """{"problem": sizes, "greedy": figures, "plain": figures}. Raises RuntimeError if the process failed."""
    done, _ = run_module("benchmarks.rivals", [str(folder), str(seconds)], seconds + SLACK_S + GRACE_S)
    if done.returncode != 0:
        raise RuntimeError(f"the rivals failed on {folder}:\n{done.stderr}")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def main() -> None:
    """Run both and print their figures."""
    folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
    policy = read_policy(folder / "policy.toml") if (folder / "policy.toml").exists() else Policy()
    compiled = compile_instance(read_instance(folder), policy, dt.date.fromisoformat(DATE))
    problem = compiled.problem
    arcs = problem.arcs()
    sizes = {"households": len(compiled.households), "offers": problem.offers, "arcs": len(arcs), "links": len(problem.links)}
    started = time.monotonic()
    plan = greedy_plan(problem, arcs)
    greedy = {"seconds": round(time.monotonic() - started, 2), **_figures(compiled, problem, plan)}
    started = time.monotonic()
    model = PlainModel(problem, arcs)
    built = time.monotonic()
    end = model.solve(seconds)
    plain = {
        "build_s": round(built - started, 2),
        "solve_s": round(time.monotonic() - built, 2),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "status": end.status.lower(),
        "bound": end.bound,
        **_figures(compiled, problem, end.plan),
    }
    print(json.dumps({"problem": sizes, "greedy": greedy, "plain": plain}))


def _figures(compiled: Compiled, problem: Problem, plan: Plan | None) -> dict[str, Any]:
    if plan is None:
        return {"cost": None, "placed": None}
    if faults := broken(problem, plan):
        raise RuntimeError(f"a plan that does not hold: {faults[0]}")
    free = sum(int(problem.persons[h]) for h, home in enumerate(plan.home) if home != UNPLACED)
    fixed = sum(compiled.household_of[h].persons for h in compiled.roles.fixed)
    return {"cost": sum(cost_by_stage(problem, plan)), "placed": free + fixed}


if __name__ == "__main__":
    main()

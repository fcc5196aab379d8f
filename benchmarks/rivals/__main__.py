"""`python -m benchmarks.rivals NAME FOLDER SECONDS`: one rival on one instance. Prints its figures as one JSON object.

Reading, compiling and finding candidates are done by the program's own code and not counted as solving; `matcher.evaluate`
says what the plan costs and whether it holds.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.cases import DATE
from benchmarks.rivals.catalogue import Rival, rival
from benchmarks.rivals.end import End
from benchmarks.rivals.offered import ALL_SETS, FEW_SETS, Offered
from matcher import Plan, Policy, Problem, read_instance, read_policy
from matcher.compile import Compiled, compile_instance
from matcher.evaluate import broken, cost_by_stage
from matcher.problem import UNPLACED


@dataclass
class Clock:
    """Wall and CPU seconds of each part, and what else there is to say."""

    seconds: dict[str, float] = field(default_factory=dict)
    wall: float = field(default_factory=time.monotonic)
    cpu: float = field(default_factory=time.process_time)

    def lap(self, part: str) -> None:
        """What was spent since the last lap goes to `part`."""
        wall, cpu = time.monotonic(), time.process_time()
        self.seconds[f"{part}_s"] = round(wall - self.wall, 3)
        self.seconds[f"{part}_cpu_s"] = round(cpu - self.cpu, 3)
        self.wall, self.cpu = wall, cpu


def run(who: Rival, problem: Problem, seconds: float, clock: Clock) -> tuple[End, int | None]:
    """(how it ended, number of arcs written out); laps: candidates, build, solve."""
    offered = Offered(problem)
    if who.kind == "greedy":
        from benchmarks.rivals.serve import Serve

        clock.lap("candidates")
        serve = Serve(offered)
        serve.all(serve.order())
        clock.lap("solve")
        return End(serve.plan(), None, "done"), None
    most = who.candidates or max(1, problem.offers)
    offers, costs = offered.well_chosen(most) if who.chosen else offered.nearest(most)
    if who.kind == "flow":
        from benchmarks.rivals.flow import flow, repair
        from benchmarks.rivals.serve import Serve

        clock.lap("candidates")
        home = flow(problem, offers, costs)
        clock.lap("build")  # of the flow; with the repair it is what the rival takes
        if home is None:
            return End(None, None, "no flow"), None
        serve = Serve(offered)
        repair(serve, home)
        clock.lap("solve")
        return End(serve.plan(), None, "done"), None
    arcs = offered.arcs(offers, costs, FEW_SETS if who.candidates else ALL_SETS)
    clock.lap("candidates")
    if who.kind == "cp-sat":
        from benchmarks.rivals.plain import PlainModel

        plain = PlainModel(problem, arcs)
        clock.lap("build")
        end = plain.solve(seconds)
    else:
        from benchmarks.rivals.mip import MipModel

        model = MipModel(problem, arcs)
        clock.lap("build")
        end = model.solve(who.kind, seconds)
    clock.lap("solve")
    return end, len(arcs)


def judge(compiled: Compiled, plan: Plan) -> dict[str, Any]:
    """Cost, unplaced term, persons (placed, and in all) and km of a plan. Raises RuntimeError if it breaks a promise of the problem."""
    problem = compiled.problem
    if faults := broken(problem, plan):
        raise RuntimeError(f"a plan that does not hold: {faults[0]}")
    free = [(compiled.households[h], home) for h, home in enumerate(plan.home) if home != UNPLACED]
    fixed = list(zip(compiled.households[compiled.free :], compiled.fixed_home, strict=True))
    persons = km10 = 0
    for household_id, home in (*free, *fixed):
        household, offer = compiled.household_of[household_id], compiled.offer_of[compiled.offers[home]]
        persons += household.persons
        km10 += household.persons * compiled.travel.leg(household.spot, offer.spot).km10
    return {
        "cost": sum(cost_by_stage(problem, plan)),
        "unplaced_cost": sum(int(problem.unplaced_cost[h]) for h, home in enumerate(plan.home) if home == UNPLACED),
        "persons": int(problem.persons.sum()) + sum(compiled.household_of[h].persons for h, _ in fixed),
        "placed": persons,
        "km_per_person": round(km10 / 10 / max(1, persons), 2),
    }


def main() -> None:
    """Run one and print its figures."""
    who, folder, seconds = rival(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    clock = Clock()
    policy = read_policy(folder / "policy.toml") if (folder / "policy.toml").exists() else Policy()
    compiled = compile_instance(read_instance(folder), policy, dt.date.fromisoformat(DATE))
    clock.lap("read")
    end, arcs = run(who, compiled.problem, seconds, clock)
    figures = {
        "status": end.status.lower(),
        "offers": compiled.problem.offers,
        "arcs": arcs,
        "own_bound": None if who.candidates else end.bound,
    }
    if end.plan is not None:
        figures |= judge(compiled, end.plan)
    clock.lap("judge")
    print(json.dumps(figures | clock.seconds))


if __name__ == "__main__":
    main()

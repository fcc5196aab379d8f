"""`python -m benchmarks.linked [INSTANCES] [FIRST_SEED]`: required links under prices, against the exact strategy.

On instances of 300 households, 5 % of them linked: how many households with a required link has the price strategy left without a place
that the exact strategy places? Prints one JSON object.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from benchmarks.cases import DATE
from matcher import generate, read_instance, read_policy, solve
from matcher.policy import SolveOptions

HOUSEHOLDS, SHARE, SECONDS = 300, 0.05, 60.0


def main() -> None:
    """All instances, one after the other."""
    instances = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 1001
    linked = lost = won = proved = 0
    costs = [0, 0]
    for seed in range(first, first + instances):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            generate(folder, HOUSEHOLDS, seed, 1.0, links=SHARE)
            instance, file = read_instance(folder), folder / "policy.toml"
            policy = read_policy(file) if file.exists() else None
            required = {
                h for tie in instance.ties if tie.binds and tie.other_household_id for h in (tie.household_id, tie.other_household_id)
            }
            results = [
                solve(instance, policy, date=DATE, options=SolveOptions(strategy=name, time_limit_s=SECONDS))
                for name in ("exact", "prices")
            ]
        placed = [{row.household_id for row in r.placements} & required for r in results]
        linked += len(required)
        lost += len(placed[0] - placed[1])
        won += len(placed[1] - placed[0])
        proved += results[0].status == "optimal"
        for i, result in enumerate(results):
            costs[i] += result.cost.total
    print(
        json.dumps({
            "instances": instances, "optimal": proved, "households_with_required_links": linked, "left_out_by_prices_alone": lost,
            "left_out_by_exact_alone": won, "cost_over_exact": round(costs[1] / costs[0] - 1, 6),
        })
    )  # fmt: skip


if __name__ == "__main__":
    main()

"""The independent checker: a finished plan and its certificate, judged from the rows of the instance alone.

Nothing here is shared with the side that solves: rules, costs, rooms, nights and rounding are counted a second time, in
exact integers and fractions. It knows `model`, `columns`, `policy`, `places` and `result` only.

For a million households every rule and every term is asked once for each distinct pair of what it looks at, and what depends on
where an offer is once for each place. `tests/check/plain` asks pair by pair, and must always say the same.
"""

from matcher.check.bound import check_bound
from matcher.check.plan import check_plan

__all__ = ["check_bound", "check_plan"]

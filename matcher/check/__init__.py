"""The independent checker: a finished plan and its certificate, judged from the rows of the instance alone.

Nothing here is shared with the side that solves: rules, costs, rooms, nights and rounding are counted a second time, in
exact integers and fractions. It knows `model`, `policy`, `places` and `result` only.
"""

from matcher.check.bound import check_bound
from matcher.check.plan import check_plan

__all__ = ["check_bound", "check_plan"]

"""The checker as it reads plainest: every pair of households and offers in turn. The quick one (`matcher.check`) is held against it.

It has rooms, roundings and places in common with it, which have tests of their own.
"""

from tests.check.plain.bound import check_bound
from tests.check.plain.plan import check_plan

__all__ = ["check_bound", "check_plan"]

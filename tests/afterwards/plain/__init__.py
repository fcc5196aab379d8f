"""What follows a plan as it is defined: one household, one offer, one tie after the other. Slow, and easy to check by eye."""

from tests.afterwards.plain import alternatives, evaluate, lottery, publish, reasons, rows, summary, warnings

__all__ = ["alternatives", "evaluate", "lottery", "publish", "reasons", "rows", "summary", "warnings"]

"""Typed values, as workbooks, Parquet files and data frames have them, as the text that a CSV file would have."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal


def plain_text(value: object) -> str:
    """What a cell would be in a CSV file. Nothing is the empty cell, and text stays as it is."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return float_text(repr(value), value)
    if isinstance(value, Decimal):
        return "" if value.is_nan() else format(value, "f")
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{value.total_seconds() / 3600:g} h"
    if isinstance(value, set | frozenset):
        return " ".join(sorted(plain_text(item) for item in value))
    if isinstance(value, list | tuple):
        return " ".join(plain_text(item) for item in value)
    return str(value)


def float_text(shortest: str, value: float) -> str:
    """Plain digits: whole numbers with gaps come as floats, so 3.0 is `3`. shortest: digits that tell the float apart."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return shortest
    return str(int(value)) if value.is_integer() else format(Decimal(shortest), "f")

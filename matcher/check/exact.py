"""Exact numbers: decimals as fractions, and rounding half up. A Decimal product would be cut at 28 digits."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache


@lru_cache(maxsize=65536)
def exact(number: Decimal) -> Fraction:
    """What the decimal text says, as a fraction."""
    return Fraction(number)


def half_up(value: Fraction) -> int:
    """The nearest whole number; a half goes up."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def ceil_div(numerator: int, denominator: int) -> int:
    """The least whole number not below numerator / denominator, for denominator > 0."""
    return -(-numerator // denominator)


def within(km10: int, limit_km: Decimal) -> bool:
    """km10 / 10 ≤ limit_km."""
    return km10 <= exact(limit_km) * 10


def nearer(km10: int, limit_km: Decimal) -> bool:
    """km10 / 10 < limit_km."""
    return km10 < exact(limit_km) * 10

"""Exact numbers: decimals as fractions, and rounding half up. A Decimal product would be cut at 28 digits.

Arrays are of int64 wherever it is shown that nothing can overflow, else of Python integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Exact = NDArray[Any]  # int64, or Python integers
MOST = 1 << 62


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


def exact_array(values: Sequence[int]) -> Exact:
    """Whole numbers as an array that keeps them."""
    if all(-MOST < value < MOST for value in values):
        return np.array(values, dtype=np.int64)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def largest(values: Exact) -> int:
    """The largest absolute value; 0 of none."""
    return max(abs(int(values.max())), abs(int(values.min()))) if values.size else 0


def half_up_array(weight: Fraction, amounts: Exact) -> Exact:
    """weight · amount for each amount, each rounded half up."""
    n, d = weight.numerator, weight.denominator
    if 2 * n * largest(amounts) + d >= MOST:
        wide = (2 * n * amounts.astype(object) + d) // (2 * d)
        return wide.astype(np.int64) if largest(wide) < MOST else wide
    return amounts * n if d == 1 else (2 * n * amounts + d) // (2 * d)


def capped_half_up(weight: Fraction, amounts: Exact, cap: Fraction) -> Exact:
    """weight · min(amount, cap) for each amount, each rounded half up."""
    rounded = half_up_array(weight, np.minimum(amounts, int(cap)))
    if cap.denominator > 1:
        full = half_up(weight * cap)
        rounded = np.where(amounts > int(cap), full, rounded if full < MOST else rounded.astype(object))
    return rounded


def total(values: Exact) -> int:
    """The exact sum."""
    return int(values.sum()) if largest(values) * max(1, values.size) < MOST else sum(map(int, values.tolist()))

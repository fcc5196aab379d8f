"""The fields of a `Problem` from plain matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from matcher.errors import UsageError
from matcher.layers import LARGEST, Ints, Table
from matcher.parts import ANY_DATE, OPEN_END, Parties, Resource


def matrix_fields(
    cost: ArrayLike, use: ArrayLike, capacity: ArrayLike, unplaced_cost: ArrayLike | None, allowed: ArrayLike | None
) -> dict[str, Any]:
    """See `Problem.from_matrix`."""
    costs, uses, capacities = _integers(cost, "cost"), _integers(use, "use"), _integers(capacity, "capacity")
    if costs.ndim != 2 or uses.shape != costs.shape or capacities.shape != (costs.shape[1],):
        shapes = f"cost {costs.shape} and use {uses.shape} must be (households, accommodations)"
        text = f"{shapes}, capacity {capacities.shape} must be (accommodations,)"
        raise UsageError(text)
    if (uses < 0).any() or (capacities < 0).any():
        raise UsageError("use and capacity must not be negative")
    h, a = costs.shape
    out = np.zeros(h, dtype=np.int64) if unplaced_cost is None else _integers(unplaced_cost, "unplaced_cost")
    may = np.ones((h, a), dtype=np.int64) if allowed is None else np.asarray(allowed, dtype=np.bool_).astype(np.int64)
    if out.shape != (h,) or may.shape != (h, a):
        raise UsageError(f"unplaced_cost {out.shape} must be ({h},) and allowed {may.shape} must be ({h}, {a})")
    rows, columns, zeros = np.arange(h), np.arange(a), np.zeros(h, dtype=np.int64)
    return {
        "parties": Parties.singles(h),
        "persons": np.ones(h, dtype=np.int64),
        "rules": (Table("allowed", rows, columns, may),),
        "terms": (Table("cost", rows, columns, costs),),
        "term_stage": (0,),
        "stages": ("all",),
        "unplaced_cost": out,
        "unplaced_stage": zeros,
        "must": np.full(h, unplaced_cost is None),
        "barred": np.zeros(h, dtype=np.bool_),
        "arrival": zeros,
        "leaves": np.full(h, OPEN_END),
        "offers": a,
        "sizes": (None,) * a,
        "room_need": zeros,
        "spare_units": (0, 1),
        "spare_stage": 0,
        "resources": tuple(Resource(i, "persons", 0, ANY_DATE, int(c)) for i, c in enumerate(capacities)),
        "resources_of": tuple((i,) for i in range(a)),
        "has_need": np.zeros((h, 0), dtype=np.bool_),
        "place": np.zeros(a, dtype=np.int64),
        "site": columns,
        "km10": np.zeros((1, 1), dtype=np.int64),
        "same_place": np.ones((1, 1), dtype=np.bool_),
        "lottery": tuple(range(h)),
        "in_use": uses,
    }


def _integers(values: ArrayLike, name: str) -> Ints:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise UsageError(f"{name} has rows of unequal length") from error
    if array.dtype.kind not in "iufb" or (array.dtype.kind == "f" and not (np.isfinite(array) & (array == np.floor(array))).all()):
        raise UsageError(f"{name} must hold whole numbers")
    if array.size and float(np.abs(array).max()) > LARGEST:
        raise UsageError(f"{name} holds numbers that are too large for exact arithmetic")
    return array.astype(np.int64)

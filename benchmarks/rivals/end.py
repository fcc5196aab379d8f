"""How a rival ended."""

from __future__ import annotations

from dataclasses import dataclass

from matcher.result import Plan


@dataclass(frozen=True)
class End:
    """plan None: it had none. bound: what the solver itself says that no plan of its model can cost less than; None: it says nothing."""

    plan: Plan | None
    bound: float | None
    status: str

"""Shelter-to-evacuee matching: who goes where, what it costs, why, and how good the plan provably is.

The names below load on first use, so that importing the package (and `matcher --help`) stays quick.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from matcher._version import __version__

if TYPE_CHECKING:
    from matcher.advise.fair import fairness
    from matcher.advise.leads import advise
    from matcher.advise.remedies import find_remedies, with_remedies
    from matcher.advise.whatif import sweep, whatif
    from matcher.check import check_bound, check_plan
    from matcher.errors import (
        ContradictionError,
        Fault,
        InputError,
        InternalError,
        InterruptedSolve,
        MatcherError,
        NoPlanError,
        UsageError,
    )
    from matcher.explain import Explanation, explain, explanations
    from matcher.frames import alternatives_frame, faults_frame, placements_frame, quarantined_frame, unplaced_frame
    from matcher.generate import generate
    from matcher.io import instance_from_frames, instance_from_rows, read_instance
    from matcher.model import Instance
    from matcher.policy import Policy, SolveOptions, read_policy
    from matcher.problem import UNPLACED, Problem
    from matcher.publish import publish
    from matcher.result import Certificate, Cost, Plan, Result
    from matcher.schema import schemas
    from matcher.solver import solve
    from matcher.summary import summary
    from matcher.verify import verify

_HOME = {
    "matcher.advise.fair": ("fairness",),
    "matcher.advise.leads": ("advise",),
    "matcher.advise.remedies": ("find_remedies", "with_remedies"),
    "matcher.advise.whatif": ("sweep", "whatif"),
    "matcher.check": ("check_bound", "check_plan"),
    "matcher.errors": (
        "ContradictionError", "Fault", "InputError", "InternalError", "InterruptedSolve", "MatcherError", "NoPlanError", "UsageError",
    ),
    "matcher.explain": ("Explanation", "explain", "explanations"),
    "matcher.generate": ("generate",),
    "matcher.io": ("instance_from_frames", "instance_from_rows", "read_instance"),
    "matcher.frames": ("alternatives_frame", "faults_frame", "placements_frame", "quarantined_frame", "unplaced_frame"),
    "matcher.model": ("Instance",),
    "matcher.policy": ("Policy", "SolveOptions", "read_policy"),
    "matcher.problem": ("UNPLACED", "Problem"),
    "matcher.publish": ("publish",),
    "matcher.result": ("Certificate", "Cost", "Plan", "Result"),
    "matcher.schema": ("schemas",),
    "matcher.solver": ("solve",),
    "matcher.summary": ("summary",),
    "matcher.verify": ("verify",),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "UNPLACED",
    "Certificate",
    "ContradictionError",
    "Cost",
    "Explanation",
    "Fault",
    "InputError",
    "Instance",
    "InternalError",
    "InterruptedSolve",
    "MatcherError",
    "NoPlanError",
    "Plan",
    "Policy",
    "Problem",
    "Result",
    "SolveOptions",
    "UsageError",
    "__version__",
    "advise",
    "alternatives_frame",
    "check_bound",
    "check_plan",
    "explain",
    "explanations",
    "fairness",
    "faults_frame",
    "find_remedies",
    "generate",
    "instance_from_frames",
    "instance_from_rows",
    "placements_frame",
    "publish",
    "quarantined_frame",
    "read_instance",
    "read_policy",
    "schemas",
    "solve",
    "summary",
    "sweep",
    "unplaced_frame",
    "verify",
    "whatif",
    "with_remedies",
]


class _Package(ModuleType):
    """Some functions bear the name of their module (`explain`, `publish` …). Importing a submodule binds it on the package
    under that name; the function is what users mean by `matcher.explain`, so such a binding is not made. The module stays
    importable: `from matcher.explain import Explanation`."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _MODULE_OF and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'matcher' has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)

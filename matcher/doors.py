"""What the public functions take. An argument of another kind is refused with a sentence, before anything is done."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, Final, ParamSpec, TypeVar

from matcher.errors import UsageError

P = ParamSpec("P")
R = TypeVar("R")
PATH: Final = (str, os.PathLike)
NUMBER: Final = Real
WHOLE: Final = Integral
_NAMES: Final = {type(None): "None", Real: "a number", Integral: "a whole number"}


def takes(**kinds: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A public function whose arguments are of these kinds: what `isinstance` takes, by name. Another one raises UsageError."""

    def guard(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        unknown = set(kinds) - set(signature.parameters)
        assert not unknown, unknown

        @functools.wraps(function)
        def door(*args: P.args, **kwargs: P.kwargs) -> R:
            given = signature.bind(*args, **kwargs).arguments
            for name, kind in kinds.items():
                if name in given and not isinstance(given[name], kind):
                    raise UsageError(f"{function.__name__}: {name} must be {_said(kind)}, not {type(given[name]).__name__}")
            return function(*args, **kwargs)

        return door

    return guard


def _said(kind: Any) -> str:
    """The kinds as a sentence names them."""
    several = kind if isinstance(kind, tuple) else getattr(kind, "__args__", (kind,))
    return " or ".join(_NAMES.get(one, one.__name__) for one in several)

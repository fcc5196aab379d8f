"""Where an earlier run ended, in positions of the problem at hand: what a strategy may begin from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.layers import Ints


@dataclass(frozen=True)
class Start:
    """Nothing here is taken on trust: prices only have to be ≥ 0, and whoever no longer fits where they were is out at first.

    prices: by resource, in cost units. floors: by floor. offers: by party, UNPLACED where there was none. rooms: sets taken.
    """

    prices: NDArray[np.float64]
    floors: NDArray[np.float64]
    offers: Ints
    rooms: tuple[tuple[int, ...], ...]

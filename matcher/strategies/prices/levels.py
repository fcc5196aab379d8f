"""What exact pieces are like, one level after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from matcher.strategies.prices.blocks import Sweep

AT_ONCE = 4
"""Pieces that are on their way at once, on however many processors."""
LEAST_LOSS, NODES = 500.0, 20
"""Who loses less by their place is left alone (cost units); nodes of the search tree of a piece."""
WORK_RELAXED, WORK_UNSETTLED, WORK_POWER, WORK_EACH = 1.8e-5, 4e-5, 1.5, 0.01
"""Units of work (about a second of one core each) of a piece: one of the first two for each of its parties to that power, where the linear
program comes first and where not, and the last for any."""


@dataclass(frozen=True)
class Level:
    """relaxed: may the linear program settle who stays; part, least, most: a piece has one of so many parts of all parties, between these;
    narrow: by how much may an arc be worse than best (cost units); times: places in pieces that there are for each party."""

    relaxed: bool
    part: int
    least: int
    most: int
    narrow: float
    times: float

    def sweep(self, parties: int, seconds: Callable[[], float]) -> Sweep:
        """Over so many parties. seconds: asked for the safety net of each program."""
        size = int(np.clip(parties // self.part, self.least, self.most))
        pieces = max(1, round(self.times * parties / size))
        return Sweep(pieces, AT_ONCE, size, seconds, NODES, LEAST_LOSS, self.relaxed, self.narrow)

    def work(self, parties: int) -> float:
        """Of one piece with so many parties: the larger, the more for each of them."""
        return float(WORK_EACH + (WORK_RELAXED if self.relaxed else WORK_UNSETTLED) * parties**WORK_POWER)


LEVELS = (
    Level(relaxed=True, part=20, least=300, most=500, narrow=np.inf, times=2.0),
    Level(relaxed=True, part=8, least=1200, most=3000, narrow=4000.0, times=1.0),
    Level(relaxed=False, part=10, least=600, most=1000, narrow=2000.0, times=1.0),
    Level(relaxed=False, part=10, least=600, most=1000, narrow=8000.0, times=1.0),
)
"""The first round of a large problem takes the first of these: many have fared badly there, and small pieces mend them quickly. Other
rounds take the second, for what is left is settled among more of them; small problems begin there, and one piece takes most of them. The
others follow where a round has found nothing."""

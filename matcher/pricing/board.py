"""Every party's best offer at given prices, over all pairs: the second door of `Problem`, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.pricing.core import Core, Numbers
from matcher.pricing.kernels import FAR
from matcher.pricing.menus import Menus, bar_bundles, cheapest_bundles, price_bundles
from matcher.pricing.shelves import Shelves, best_of_many, price_shelves
from matcher.pricing.threads import in_ranges


class Board:
    """Scratch memory for pricing, kept from one set of prices to the next: shelves that are nearly sorted sort quickly."""

    def __init__(self, core: Core, menus: Menus, shelves: Shelves, kind: type) -> None:
        places, entries = core.at_place.shape[1], len(shelves.offer)
        self.core, self.menus, self.shelves, self.kind = core, menus, shelves, kind
        self.lowest: NDArray[Any] = np.empty((len(shelves.example), places), dtype=kind)
        self.order = np.arange(entries, dtype=np.int32)
        self.value: NDArray[Any] = np.empty(entries, dtype=kind)
        self.bundle_paid: NDArray[Any] = np.zeros(max(1, len(menus.set)), dtype=kind)
        self.paid: NDArray[Any] = np.zeros(menus.first.shape, dtype=kind)
        self.bundle = np.full(menus.first.shape, -1, dtype=np.int32)
        self.best: NDArray[Any] = np.empty(core.parties, dtype=kind)
        self.offer = np.empty(core.parties, dtype=np.int64)

    def set_prices(self, prices: NDArray[Any], scale: int = 1, left: Numbers | None = None) -> None:
        """Price offers and sort shelves. prices: by resource, of the board's kind; costs count `scale` times.

        left: what is free of each row (float boards only); offers where a party does not fit into that are then no offers for it.
        """
        if left is not None:
            prices = np.where(left > 0, prices, float(FAR))
        self.prices = prices if len(prices) else np.zeros(1, dtype=self.kind)
        self.scale = self.kind(scale)
        core, shelves, menus = self.core, self.shelves, self.menus
        in_ranges(
            lambda i, j: price_bundles(menus.start, menus.row, menus.amount, self.prices, self.bundle_paid, i, j),
            len(menus.set), least=200_000,
        )  # fmt: skip
        if left is not None:
            bar_bundles(menus.start, menus.row, menus.amount, left, self.bundle_paid, 0, len(menus.set))
        in_ranges(
            lambda i, j: cheapest_bundles(menus, self.bundle_paid, self.scale, self.paid, self.bundle, i, j), core.offers, least=20_000
        )  # fmt: skip
        in_ranges(
            lambda i, j: price_shelves(core, shelves, self.paid, self.scale, self.lowest, self.order, self.value, i, j),
            len(shelves.example), least=200,
        )  # fmt: skip

    def find_best(self) -> tuple[NDArray[Any], Numbers]:
        """(value, offer) of every party's best pair; the offer is -1 where it has none."""
        in_ranges(
            lambda i, j: best_of_many(
                self.core, self.shelves, self.menus.plain, self.prices, self.scale, self.paid,
                self.lowest, self.order, self.value,
                self.best, self.offer, i, j,
            ),
            self.core.parties,
        )  # fmt: skip
        return self.best, self.offer

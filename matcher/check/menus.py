"""The sets of rooms that a party may choose from, for all offers at once: those with the same choice stand on one menu."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from matcher.check.costs import spare_term
from matcher.check.exact import Exact, Ints
from matcher.check.market import Market
from matcher.check.numbers import Numbers
from matcher.check.rooms import minimal_sets
from matcher.check.world import World


@dataclass(frozen=True)
class Menu:
    """offers: positions in the market. sets: rooms taken by size, with what their spare beds cost."""

    offers: Ints
    sets: tuple[tuple[Mapping[int, int], int], ...]


class Menus:
    """Menus by the persons and rooms of a party."""

    def __init__(self, world: World, market: Market) -> None:
        self.world = world
        kinds = world.lodgings.classes("rooms", "shared")
        used, self._kind = np.unique(kinds.code[market.at], return_inverse=True)
        self._alike = [world.offers.rows[k] for k in kinds.first[used]]
        self._menus: dict[tuple[int, int], list[Menu]] = {}

    def add_cheapest(
        self, costs: Exact, persons: int, rooms_needed: int, weight: int, prices: Mapping[int, Exact], numbers: Numbers
    ) -> None:
        """Add to the costs of all offers what the rooms cost: the cheapest set where there is a choice, all where there is none.

        weight: of a cost unit. prices: by size, for all offers. Offers whose rooms do not hold the party are left as they are.
        """
        for menu in self._of(persons, rooms_needed):
            best = numbers.full(len(menu.offers), numbers.never)
            for rooms, spare in menu.sets:
                total = numbers.full(len(menu.offers), weight * spare)
                for size, number in rooms.items():
                    if size in prices:
                        total += prices[size][menu.offers] * number
                np.minimum(best, total, out=best)
            costs[menu.offers] += best

    def _of(self, persons: int, rooms_needed: int) -> list[Menu]:
        key = persons, rooms_needed
        if key not in self._menus:
            self._menus[key] = self._make(persons, rooms_needed)
        return self._menus[key]

    def _make(self, persons: int, rooms_needed: int) -> list[Menu]:
        """A room of a size more than could be of use changes no menu."""
        choices: dict[tuple[bool, tuple[int, ...]], list[int]] = {}
        for kind, a in enumerate(self._alike):
            rooms = a.rooms or ()
            if not rooms or sum(rooms) < persons or len(rooms) < rooms_needed:
                continue
            count = Counter(rooms)
            if a.shared:
                count = Counter({size: min(number, max(-(-persons // size), rooms_needed)) for size, number in count.items()})
            choices.setdefault((a.shared, tuple(sorted(count.elements()))), []).append(kind)
        menu_of = np.full(len(self._alike), -1, dtype=np.int64)
        for number, kinds in enumerate(choices.values()):
            menu_of[kinds] = number
        offers = menu_of[self._kind]
        order = np.argsort(offers, kind="stable")
        low, high = (np.searchsorted(offers[order], np.arange(len(choices)), side) for side in ("left", "right"))
        menus = []
        for number, ((shared, rooms), kinds) in enumerate(choices.items()):
            a = self._alike[kinds[0]]
            sets = minimal_sets(rooms, persons, rooms_needed) if shared else (rooms,)
            # Beds that stay empty in an offer not shared are those of its capacity, whatever its rooms.
            priced = tuple((Counter(taken), spare_term(self.world, a, persons, taken) if shared else 0) for taken in sets)
            menus.append(Menu(order[low[number] : high[number]], priced))
        return menus

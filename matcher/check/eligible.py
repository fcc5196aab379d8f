"""Which offers of the market take a household, as far as it does not matter where the two are: every rule but three, as bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matcher.check.exact import Bools
from matcher.check.market import Market
from matcher.check.rules import COLUMNS, RULES, Pair
from matcher.check.tables import Classes
from matcher.check.world import World
from matcher.model import Accommodation

KEPT_BYTES = 400_000_000
Bits = NDArray[np.uint8]
# What `Market` has asked already, and what is asked of pairs (`matcher.check.local`).
ASKED = {code: columns for code, columns in COLUMNS.items() if columns[0] and code != "distance"}


class Eligible:
    """Rules of households by class against all offers of the market."""

    def __init__(self, world: World, market: Market) -> None:
        self.world = world
        self.market = market
        self._rules = [_Rule(world, market, code) for code in ASKED]

    def mask(self, household: int) -> Bools:
        """Offers of the market that pass for the household at that position, with its party."""
        bits = self._rules[0].bits(household)
        for rule in self._rules[1:]:
            bits = bits & rule.bits(household)
        return np.unpackbits(bits, count=len(self.market.at)).view(np.bool_)

    def classes(self, *more: str) -> Classes:
        """Classes of households that pass alike, and agree in more columns."""
        fields = {field for columns, _ in ASKED.values() for field in columns}
        return self.world.guests.classes(*sorted(fields.union(more)))


class _Rule:
    """One rule, asked once for each distinct pair of what it looks at."""

    def __init__(self, world: World, market: Market, code: str) -> None:
        of_households, of_offers = COLUMNS[code]
        self.world = world
        self.rule = RULES[code]
        self.guests = world.guests.classes(*of_households)
        kinds = world.lodgings.classes(*of_offers)
        used, self.kind = np.unique(kinds.code[market.at], return_inverse=True)
        self.offers: list[Accommodation] = [world.offers.rows[k] for k in kinds.first[used]]
        self._bits: dict[int, Bits] = {}

    def bits(self, household: int) -> Bits:
        """One bit for each offer of the market."""
        kind = int(self.guests.code[household])
        if kind not in self._bits:
            if len(self._bits) * len(self.kind) // 8 > KEPT_BYTES // len(ASKED):
                self._bits.clear()
            h = self.world.households.rows[int(self.guests.first[kind])]
            party = self.world.party_of(h.household_id)
            passes = np.array([self.rule(Pair(self.world, party, h, a)) for a in self.offers], dtype=bool)
            self._bits[kind] = np.packbits(passes[self.kind])
        return self._bits[kind]

"""All eligible pairs of free parties and offers, with what they cost before prices and rooms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.model import Accommodation, Tie
from tests.check.plain.costs import link_cost, own_terms
from tests.check.plain.rules import Pair, passes
from tests.check.plain.ties import offers_hold
from tests.check.plain.world import Party, World

# Arrays of Python integers: exact at any size, and quick enough for what a person waits for.
Exact = NDArray[Any]


@dataclass(frozen=True)
class Arcs:
    """Where a party could live. offers: positions in World.offers, ascending; ties, rest: cost units, one for each offer.

    ties: terms `ties` and `linked` with fixed partners. rest: the other terms of an arc, but for `spare`.
    """

    party: Party
    offers: tuple[Accommodation, ...]
    ties: Exact
    rest: Exact


def exact_array(values: list[int]) -> Exact:
    """Python integers as an array that keeps them."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def all_arcs(world: World) -> list[Arcs]:
    """The arcs of every free party; none for one that is bound to a household that is left out."""
    return [_arcs(world, party) for party in world.parties]


def _arcs(world: World, party: Party) -> Arcs:
    offers: list[Accommodation] = []
    ties: list[int] = []
    rest: list[int] = []
    stranded = any(world.is_stranded(i) for i in party.ids)
    links = [row for i in party.ids for row in world.links_of.get(i, ()) if not row.binds]
    inner = [row for i in party.ids for row in world.links_of.get(i, ()) if row.household_id == i and row.other_household_id in party.ids]
    for a in () if stranded else world.offers.values():
        if not all(offers_hold(world, row, a, a) for row in inner if row.binds):
            continue  # a party is in one offer, so its inner ties hold there or nowhere
        if all(passes(Pair(world, party, h, a)) for h in party.households):
            terms = [own_terms(world, h, a) for h in party.households]
            pull = sum(t.pop("ties", 0) for t in terms)
            pull += sum(link_cost(world, row, a, a) for row in inner if not row.binds)
            offers.append(a)
            ties.append(pull + sum(_link_to_fixed(world, party, row, a) for row in links))
            rest.append(sum(sum(t.values()) for t in terms))
    return Arcs(party, tuple(offers), exact_array(ties), exact_array(rest))


def _link_to_fixed(world: World, party: Party, tie: Tie, a: Accommodation) -> int:
    """Cost of a soft tie between a household of the party in `a` and one that is fixed; 0 for another partner."""
    one, other = tie.household_id, tie.other_household_id or ""
    if one in party.ids and other in world.fixed:
        return link_cost(world, tie, a, world.offer(world.fixed[other]))
    if other in party.ids and one in world.fixed:
        return link_cost(world, tie, world.offer(world.fixed[one]), a)
    return 0


def tenants(arcs: list[Arcs]) -> Mapping[str, list[Party]]:
    """Parties that could live in each offer."""
    parties: dict[str, list[Party]] = {}
    for each in arcs:
        for a in each.offers:
            parties.setdefault(a.accommodation_id, []).append(each.party)
    return parties

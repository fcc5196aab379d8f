"""Ties between two households of the instance: between free parties, within one party, and between fixed ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from matcher import costs
from matcher.errors import Fault, InputError
from matcher.layers import LARGEST, Ints
from matcher.model import Accommodation, Household, Tie
from matcher.places.travel import Travel, same_place
from matcher.policy import Policy
from matcher.problem import BLOCKED, Link, Problem
from matcher.rules import keeps, same_site


def link_cost(tie: Tie, g: Household, h: Household, at_g: Accommodation, at_h: Accommodation, travel: Travel, policy: Policy) -> int:
    """Cost of a soft tie between two placed households (term `linked`)."""
    km10 = travel.km10(at_g.spot, at_h.spot)
    kept = tie.kind != "near" and link_kept(tie, at_g, at_h, travel)
    amount = costs.link_amount(tie.weight, tie.relation, g.persons, h.persons, policy)
    return costs.linked(amount, costs.pull_km10(tie.kind, km10, kept, policy))


def link_kept(tie: Tie, at_g: Accommodation, at_h: Accommodation, travel: Travel) -> bool:
    """Do the two accommodations hold a tie between households, as a required one of its kind?"""
    km10 = travel.km10(at_g.spot, at_h.spot)
    same_offer = at_g.accommodation_id == at_h.accommodation_id
    return keeps(tie.kind, tie.max_km, km10, same_place(at_g.spot, at_h.spot), same_site(at_g, at_h), same_offer)


def free_links(
    ties: Iterable[Tie], household_of: Mapping[str, Household], party_of: Callable[[str], int | None], policy: Policy
) -> tuple[list[tuple[int, Link]], list[Link]]:
    """(links within a party with its position, links between two parties); `first` is the side of the row's household_id.

    ties: those between two households. party_of: the party of a free household, None for others.
    """
    inner, outer = [], []
    cap = (costs.UNITS_PER_KM * costs.exact(policy.ties.cap_km)).as_integer_ratio()
    for tie in ties:
        g, h = tie.household_id, tie.other_household_id
        assert h is not None  # a tie between two households
        first, second = party_of(g), party_of(h)
        if first is None or second is None:
            continue
        amount = costs.link_amount(tie.weight, tie.relation, household_of[g].persons, household_of[h].persons, policy)
        limit = None if tie.max_km is None else (costs.UNITS_PER_KM * costs.exact(tie.max_km)).as_integer_ratio()
        link = Link(first, second, tie.kind, tie.binds, Fraction(amount).as_integer_ratio(), cap, limit)
        if link.cost(None) > LARGEST:
            raise InputError([Fault("ties.csv", 0, "weight", "numbers_too_large", "the weights make the costs of a tie too large")])
        if first == second:
            inner.append((first, link))
        else:
            outer.append(link)
    return inner, outer


def within_parties(problem: Problem, inner: Iterable[tuple[int, Link]]) -> dict[int, Ints]:
    """Cost by offer of the links within each party, -1 where one that binds cannot hold there. Parties whose links are held
    wherever they are together, as most are, are left out; equal links share their costs."""
    own: dict[int, Ints] = {}
    known: dict[Link, Ints] = {}
    for q, link in inner:
        alike = replace(link, first=0, second=0)
        if alike not in known:
            known[alike] = _together(problem, link)
        here = known[alike]
        if q not in own:
            own[q] = here
        else:
            own[q] = np.where((here < 0) | (own[q] < 0), -1, own[q] + here)
    return {q: cost for q, cost in own.items() if cost.any()}


def _together(problem: Problem, link: Link) -> Ints:
    """Cost by offer of one link where both are in that offer, -1 where it binds and is broken."""
    one_of = np.zeros(len(problem.km10), dtype=np.int64)
    one_of[problem.place] = np.arange(problem.offers)  # both in one offer: all that matters is how far its place is from itself
    by_way: dict[int, int] = {}
    ways = problem.km10.diagonal()
    for place, km10 in enumerate(ways.tolist()):
        if km10 not in by_way:
            offer = one_of[place : place + 1]
            cost = int(problem.link_matrix(link, offer, offer)[0, 0])
            by_way[km10] = -1 if cost >= BLOCKED else cost
    return np.array([by_way[km10] for km10 in ways.tolist()], dtype=np.int64)[problem.place]


def fixed_links(
    ties: Iterable[Tie],
    household_of: Mapping[str, Household],
    home: Callable[[str], Accommodation | None],
    travel: Travel,
    policy: Policy,
) -> tuple[tuple[Tie, int], ...]:
    """Soft ties between two fixed households with their cost; required ones between fixed are only reported."""
    out = []
    for tie in ties:
        assert tie.other_household_id is not None  # a tie between two households
        if tie.binds:
            continue
        at_g, at_h = home(tie.household_id), home(tie.other_household_id)
        if at_g is not None and at_h is not None:
            g, h = household_of[tie.household_id], household_of[tie.other_household_id]
            out.append((tie, link_cost(tie, g, h, at_g, at_h, travel, policy)))
    return tuple(out)

"""What pulls one household to, or keeps it from, single spots and offers: its ties to places, accommodations and fixed
households. Most of it depends on the offer's place only (`pulls`); the rest concerns a few offers each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np

from matcher.columns import Ints, codes
from matcher.costs import link_amount, linked, pull_km10, tie_weight, ties
from matcher.lookup import Picked, classes, where
from matcher.model import Accommodation, Instance, Spot, Tie
from matcher.places.travel import Travel, same_place
from matcher.policy import Policy
from matcher.roles import Roles, pair_ties
from matcher.rules import keeps, keeps_place, same_site
from matcher.seekers import Seekers


@dataclass(frozen=True)
class Bond:
    """A tie of one household to a place (`target` None) or to an accommodation, as the offers at a spot see it.

    weight: weight · relation weight (ties) or the link's whole amount (links to a fixed household). outward: distance is
    measured from the household's own accommodation to the target (only for links whose row names the household first).
    """

    kind: str
    max_km: Decimal | None
    weight: Fraction
    spot: Spot
    target: str | None
    outward: bool = False


Row = tuple[Bond, ...]
BondRows = tuple[Ints, list[Row]]


@dataclass(frozen=True)
class Bonds:
    """Everybody's bonds of three sorts, each as (number of each household's row by position, the distinct rows; row 0 is empty).

    required: rule `tie`. soft: term `ties`. linked: soft links to fixed households, term `linked`.
    """

    required: BondRows
    soft: BondRows
    linked: BondRows


def gather_bonds(instance: Instance, seekers: Seekers, roles: Roles, offers: Mapping[str, Accommodation], policy: Policy) -> Bonds:
    """Bonds of every household that is free or fixed (a fixed one's required ties are only reported)."""
    alone = Picked(instance.ties, where(instance.ties, "other_household_id", lambda other: other is None))
    look, first = alone.alike("spot", "accommodation_id", "relation", "kind", "max_km", "required", "weight")
    stand_ins = [alone[i] for i in first]
    binds = np.array([tie.binds for tie in stand_ins], dtype=np.bool_)[look]
    number, bonds = classes(_bond_of(tie, offers, policy) for tie in stand_ins)
    look = number[look]
    home, ids = codes(alone, "household_id")
    position = seekers.positions(ids)[home]
    links = _links_to_fixed(instance, seekers, roles, offers, policy)
    count, here = len(seekers), position >= 0
    return Bonds(
        required=_rows(count, position[here & binds], look[here & binds], bonds, [link[:2] for link in links if link[2]]),
        soft=_rows(count, position[here & ~binds], look[here & ~binds], bonds, []),
        linked=_rows(count, position[:0], look[:0], bonds, [link[:2] for link in links if not link[2]]),
    )


def _links_to_fixed(
    instance: Instance, seekers: Seekers, roles: Roles, offers: Mapping[str, Accommodation], policy: Policy
) -> list[tuple[int, Bond, bool]]:
    """(position, bond, whether it binds) of every free household that has a tie with a fixed one."""
    found = []
    for tie in pair_ties(instance):
        g, h = tie.household_id, tie.other_household_id
        assert h is not None  # a pair
        for own, other, outward in ((g, h, True), (h, g, False)):
            if other not in roles.fixed or own in roles.fixed or own in roles.left_out:
                continue
            target = offers[roles.fixed[other].accommodation_id]
            amount = link_amount(tie.weight, tie.relation, seekers.by_id[g].persons, seekers.by_id[h].persons, policy)
            bond = Bond(tie.kind, tie.max_km, amount, target.spot, target.accommodation_id, outward)
            found.append((seekers.position(own), bond, tie.binds))
    return found


def _rows(count: int, position: Ints, look: Ints, bonds: Sequence[Bond], more: Iterable[tuple[int, Bond]]) -> BondRows:
    """The rows of one sort: bonds[look[i]] of the household at position[i], and single ones besides."""
    order = np.argsort(position, kind="stable")
    edges = [*np.flatnonzero(np.diff(position[order], prepend=-1)).tolist(), len(order)]
    number, looks, homes = np.zeros(count, dtype=np.int64), look[order].tolist(), position[order].tolist()
    single: dict[int, list[Bond]] = {}
    for h, bond in more:
        single.setdefault(h, []).append(bond)
    rows: dict[tuple[int, ...], int] = {(): 0}
    for low, high in pairwise(edges):
        at = homes[low]
        if at not in single:
            number[at] = rows.setdefault(tuple(looks[low:high]), len(rows))
        else:
            single[at] = [bonds[k] for k in looks[low:high]] + single[at]
    distinct = [tuple(bonds[k] for k in key) for key in rows]
    for h, own in single.items():
        number[h] = len(distinct)
        distinct.append(tuple(own))
    return number, distinct


def _bond_of(tie: Tie, offers: Mapping[str, Accommodation], policy: Policy) -> Bond:
    weight = tie_weight(tie.weight, tie.relation, policy)
    if tie.accommodation_id is not None:
        return Bond(tie.kind, tie.max_km, weight, offers[tie.accommodation_id].spot, tie.accommodation_id)
    assert tie.spot is not None  # validated: exactly one target
    return Bond(tie.kind, tie.max_km, weight, tie.spot, None)


@dataclass(frozen=True)
class At:
    """An offer as a bond sees it: its spot, and whether it shares the target's site or is the target itself."""

    spot: Spot
    on_site: bool = False
    is_target: bool = False


def bond_km10(bond: Bond, spot: Spot, travel: Travel) -> int:
    """km of the bond in its own direction, in tenths."""
    return travel.km10(spot, bond.spot) if bond.outward else travel.km10(bond.spot, spot)


def is_kept(bond: Bond, at: At, travel: Travel) -> bool:
    """Does the offer hold the bond, as a required tie of its kind (for a soft `near`: never asked)?"""
    km10 = bond_km10(bond, at.spot, travel)
    one_place = same_place(bond.spot, at.spot)
    if bond.target is None:
        return keeps_place(bond.kind, bond.max_km, km10, one_place)
    return keeps(bond.kind, bond.max_km, km10, one_place, at.on_site, at.is_target)


def _pull(bond: Bond, at: At, travel: Travel, policy: Policy) -> Fraction:
    kept = bond.kind != "near" and is_kept(bond, at, travel)
    return pull_km10(bond.kind, bond_km10(bond, at.spot, travel), kept, policy)


def ties_cost(persons: int, bonds: Sequence[Bond], at: At | Mapping[str | None, At], travel: Travel, policy: Policy) -> int:
    """Term `ties`. at: how the offer looks to every bond, or by target."""
    pulls = [(bond.weight, _pull(bond, at if isinstance(at, At) else at[bond.target], travel, policy)) for bond in bonds]
    return ties(persons, pulls, policy)


def linked_cost(bonds: Sequence[Bond], at: At | Mapping[str | None, At], travel: Travel, policy: Policy) -> int:
    """Term `linked` for the links to fixed households, each rounded alone."""
    return sum(linked(bond.weight, _pull(bond, at if isinstance(at, At) else at[bond.target], travel, policy)) for bond in bonds)


def looks(bonds: Sequence[Bond], offer: Accommodation, offers: Mapping[str, Accommodation]) -> dict[str | None, At]:
    """How `offer` looks to each target of the bonds."""
    views: dict[str | None, At] = {None: At(offer.spot)}
    for bond in bonds:
        if bond.target is not None:
            views[bond.target] = At(offer.spot, same_site(offer, offers[bond.target]), offer.accommodation_id == bond.target)
    return views


def depends_on_site(bond: Bond) -> bool:
    """Does the bond tell offers at one spot apart?"""
    return bond.target is not None and bond.kind in ("same_site", "same_accommodation", "apart")

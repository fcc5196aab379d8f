"""What pulls one household to, or keeps it from, single spots and offers: its ties to places, accommodations and fixed
households, its pins and forbids. Most of it depends on the offer's place only; the rest concerns a few offers each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from matcher.costs import link_amount, linked, pull_km10, tie_weight, ties
from matcher.model import Accommodation, Instance, Override, Spot, Tie
from matcher.places.travel import Travel, same_place
from matcher.policy import Policy
from matcher.roles import Roles
from matcher.rules import keeps, keeps_place, same_site


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


@dataclass(frozen=True)
class Bonds:
    """All of one household's: required ones (rule `tie`), soft ones (term `ties`), soft links to fixed ones (`linked`)."""

    required: tuple[Bond, ...] = ()
    soft: tuple[Bond, ...] = ()
    linked: tuple[Bond, ...] = ()


def gather_bonds(instance: Instance, roles: Roles, policy: Policy) -> dict[str, Bonds]:
    """Bonds of every household that is free or fixed (a fixed one's required ties are only reported)."""
    offers = {a.accommodation_id: a for a in instance.accommodations}
    persons = {h.household_id: h.persons for h in instance.households}
    required: dict[str, list[Bond]] = {}
    soft: dict[str, list[Bond]] = {}
    links: dict[str, list[Bond]] = {}
    for tie in instance.ties:
        if tie.other_household_id is None:
            bond = _bond_of(tie, offers, policy)
            (required if tie.binds else soft).setdefault(tie.household_id, []).append(bond)
            continue
        g, h = tie.household_id, tie.other_household_id
        for own, other, outward in ((g, h, True), (h, g, False)):
            if other not in roles.fixed or own in roles.fixed or own in roles.left_out:
                continue
            target = offers[roles.fixed[other].accommodation_id]
            amount = link_amount(tie.weight, tie.relation, persons[g], persons[h], policy)
            bond = Bond(tie.kind, tie.max_km, amount, target.spot, target.accommodation_id, outward)
            (required if tie.binds else links).setdefault(own, []).append(bond)
    ids = sorted(set(required) | set(soft) | set(links))
    return {i: Bonds(tuple(required.get(i, ())), tuple(soft.get(i, ())), tuple(links.get(i, ()))) for i in ids}


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


def override_holds(pin: Override | None, forbids: Sequence[Override], spot: Spot, offer_id: str | None) -> bool:
    """Rule `override`: not forbidden, not pinned elsewhere. With offer_id None only what concerns the place is looked at."""
    if pin is not None:
        if pin.spot is not None and not same_place(pin.spot, spot):
            return False
        if pin.accommodation_id is not None and offer_id is not None and pin.accommodation_id != offer_id:
            return False
    for row in forbids:
        if row.spot is not None and same_place(row.spot, spot):
            return False
        if row.accommodation_id is not None and row.accommodation_id == offer_id:
            return False
    return True

"""Ties: whether one holds, and how far it pulls. The way is measured from where the tie leads to the household's offer,
and between two households from the offer of `household_id` to the other's."""

from __future__ import annotations

from fractions import Fraction

from matcher.check.exact import exact, nearer, within
from matcher.check.seats import Housed
from matcher.check.world import World
from matcher.model import Accommodation, Tie
from matcher.places.travel import same_place


def same_site(one: Accommodation, other: Accommodation) -> bool:
    """One offer, or one address. An empty site equals no other."""
    return one.accommodation_id == other.accommodation_id or (bool(one.site_id) and one.site_id == other.site_id)


def tie_km10(world: World, tie: Tie, offer: Accommodation) -> int:
    """Tenths of a km from the tie's place or accommodation to the offer."""
    if tie.spot is not None:
        return world.travel.km10(tie.spot, offer.spot)
    assert tie.accommodation_id is not None
    return world.travel.km10(world.offer(tie.accommodation_id).spot, offer.spot)


def own_tie_holds(world: World, tie: Tie, offer: Accommodation) -> bool:
    """Whether a tie to a place or an accommodation holds for a household in `offer`."""
    if tie.spot is None:
        assert tie.accommodation_id is not None
        return offers_hold(world, tie, world.offer(tie.accommodation_id), offer)
    if tie.kind == "near":
        return tie.max_km is not None and within(tie_km10(world, tie, offer), tie.max_km)
    if tie.kind == "same_place":
        return same_place(tie.spot, offer.spot)
    if tie.kind == "apart":
        too_near = tie.max_km is not None and within(tie_km10(world, tie, offer), tie.max_km)
        return not too_near and not same_place(tie.spot, offer.spot)
    return False  # validation lets no same_site or same_accommodation to a place pass


def offers_hold(world: World, tie: Tie, one: Accommodation, other: Accommodation) -> bool:
    """Whether a tie holds between two offers, the way measured from `one` to `other`."""
    if tie.kind == "near":
        return tie.max_km is not None and within(world.travel.km10(one.spot, other.spot), tie.max_km)
    if tie.kind == "same_place":
        return same_place(one.spot, other.spot)
    if tie.kind == "same_site":
        return same_site(one, other)
    if tie.kind == "same_accommodation":
        return one.accommodation_id == other.accommodation_id
    too_near = tie.max_km is not None and nearer(world.travel.km10(one.spot, other.spot), tie.max_km)
    return not too_near and not same_site(one, other)


def link_holds(world: World, tie: Tie, household_id: str, offer: Accommodation, other_offer: Accommodation) -> bool:
    """Whether a tie between two households holds: `household_id` in `offer`, the other in `other_offer`."""
    if tie.household_id == household_id:
        return offers_hold(world, tie, offer, other_offer)
    return offers_hold(world, tie, other_offer, offer)


def tie_weight(world: World, tie: Tie) -> Fraction:
    """weight · relation_weight · ties.weight."""
    relation = world.policy.ties.relation_weight.get(tie.relation) if tie.relation is not None else None
    return exact(tie.weight) * (Fraction(1) if relation is None else exact(relation)) * world.weights["ties"]


def pull_km10(world: World, tie: Tie, km10: int, holds: bool) -> Fraction:
    """Tenths of a km that a soft tie counts: the distance up to the cap; for other kinds 0 or the cap."""
    cap = world.weights["cap_km10"]
    if tie.kind == "near":
        return min(Fraction(km10), cap)
    return Fraction(0) if holds else cap


def nearest_tie_km10(world: World, household_id: str, offer: Accommodation, plan: Housed) -> int | None:
    """Distance to the nearest of the household's own ties, other than `apart`; None where none can be measured."""
    ways: list[int] = []
    for tie in world.own_ties.of(household_id):
        if tie.kind == "apart":
            continue
        if tie.other_household_id is None:
            ways.append(tie_km10(world, tie, offer))
        elif tie.other_household_id in world.protected and household_id not in world.protected:
            continue  # told on the protected side only
        elif (other := plan.offer_of(world, tie.other_household_id)) is not None:
            ways.append(world.travel.km10(offer.spot, other.spot))
    return min(ways, default=None)

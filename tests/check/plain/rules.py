"""Who may live where: one function a rule of MODEL.md's eligibility table, True where the household passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import NamedTuple

from matcher.check.exact import exact, within
from matcher.check.rooms import minimal_sets
from matcher.model import Accommodation, Household
from tests.check.plain.ties import link_holds, own_tie_holds
from tests.check.plain.world import Party, World, names, other_end


class Pair(NamedTuple):
    """A household h, with the party it belongs to, and an offer a."""

    world: World
    party: Party
    h: Household
    a: Accommodation


Rule = Callable[[Pair], bool]


def status(pair: Pair) -> bool:
    """The offer is open, and no quarantined row names it."""
    return pair.world.is_open(pair.a)


def vetted(pair: Pair) -> bool:
    """A host family is vetted, unless the policy does without."""
    return pair.a.kind != "host_family" or pair.a.vetted is True or not pair.world.policy.rules.require_vetted


def size(pair: Pair) -> bool:
    """All persons of the party fit, and are as many as the offer is meant for."""
    if pair.party.persons > pair.a.capacity or (pair.a.min_persons is not None and pair.party.persons < pair.a.min_persons):
        return False
    return pair.a.max_persons is None or pair.party.persons <= pair.a.max_persons


def rent(pair: Pair) -> bool:
    """The household can pay its persons' nights; an unknown cost it cannot."""
    if pair.h.max_rent is None:
        return True
    cost = pair.a.cost_per_person_night
    return cost is not None and pair.h.persons * exact(cost) <= exact(pair.h.max_rent)


def risk(pair: Pair) -> bool:
    """The offer's risk is not above the policy's highest."""
    return risk_of(pair.world, pair.a) <= pair.world.policy.rules.max_risk


def needs(pair: Pair) -> bool:
    """Every need is a feature, or offered to as many persons as the household has."""
    offered = dict(pair.a.need_capacity)
    return all(need in pair.a.features or offered.get(need, -1) >= pair.h.persons for need in pair.h.needs)


def pets(pair: Pair) -> bool:
    """Every kind of pet is taken."""
    return pair.h.pets <= pair.a.pets


def language(pair: Pair) -> bool:
    """A host family that names languages shares one with the household."""
    return pair.a.kind != "host_family" or not pair.a.languages or bool(pair.a.languages & pair.h.languages)


def kind(pair: Pair) -> bool:
    """The household accepts the kind."""
    return not pair.h.accepts or pair.a.kind in pair.h.accepts


def groups(pair: Pair) -> bool:
    """The household is of one of the groups that the offer takes."""
    return not pair.a.groups_only or bool(pair.a.groups_only & pair.h.groups)


def area(pair: Pair) -> bool:
    """The oblast is known and not avoided, where any is avoided."""
    return not pair.h.avoids or (pair.a.adm1 is not None and pair.a.adm1 not in pair.h.avoids)


def dates(pair: Pair) -> bool:
    """The offer covers the stay; an open-ended stay at least for the policy's shortest."""
    stay = pair.world.stays[pair.h.household_id]
    if pair.a.available_from is not None and pair.a.available_from > stay.arrival:
        return False
    if pair.a.available_until is None:
        return True
    if stay.leaves is not None:
        return stay.leaves <= pair.a.available_until
    return (pair.a.available_until - stay.arrival).days >= pair.world.policy.short.min_nights


def distance(pair: Pair) -> bool:
    """There is a way, and it is not too long."""
    leg = pair.world.travel.leg(pair.h.spot, pair.a.spot)
    return not leg.blocked and (pair.h.max_km is None or within(leg.km10, pair.h.max_km))


def rooms(pair: Pair) -> bool:
    """Some set of the offer's rooms holds the party; where no rooms are given there is nothing to count."""
    return bool(room_sets(pair.party, pair.a))


def override(pair: Pair) -> bool:
    """Not held, not forbidden here, not pinned elsewhere."""
    i = pair.h.household_id
    if i in pair.world.held or any(names(forbid, pair.a) for forbid in pair.world.forbids.get(i, ())):
        return False
    return all(names(pin, pair.a) for pin in pair.world.pins.get(i, ()))


def tie(pair: Pair) -> bool:
    """Every required tie to a place, an accommodation or a household that is fixed holds."""
    world, i = pair.world, pair.h.household_id
    for row in world.own_ties.get(i, ()):
        if row.binds and row.other_household_id is None and not own_tie_holds(world, row, pair.a):
            return False
    for row in world.links_of.get(i, ()):
        other = world.fixed.get(other_end(row, i))
        if row.binds and other is not None and not link_holds(world, row, i, pair.a, world.offer(other)):
            return False
    return True


RULES: Mapping[str, Rule] = {
    rule.__name__: rule
    for rule in (status, vetted, size, rent, risk, needs, pets, language, kind, groups, area, dates, rooms, override, distance, tie)
}


def broken_rules(pair: Pair) -> list[str]:
    """Codes of all rules that the pair breaks."""
    return [code for code, rule in RULES.items() if not rule(pair)]


def passes(pair: Pair) -> bool:
    """Whether the pair breaks no rule."""
    return all(rule(pair) for rule in RULES.values())


def risk_of(world: World, a: Accommodation) -> Decimal:
    """The offer's own risk, else the policy's for its oblast, else for the unknown."""
    if a.risk is not None:
        return a.risk
    policy = world.policy.risk
    return policy.area.get(a.adm1, policy.unknown) if a.adm1 is not None else policy.unknown


def room_sets(party: Party, a: Accommodation) -> tuple[tuple[int, ...], ...]:
    """Sets of rooms that the party may take: one empty set where the offer has no rooms, all of them where it is not shared."""
    if not a.rooms:
        return ((),)
    if a.shared:
        return minimal_sets(a.rooms, party.persons, party.rooms_needed)
    whole = tuple(sorted(a.rooms))
    return (whole,) if sum(whole) >= party.persons and len(whole) >= party.rooms_needed else ()

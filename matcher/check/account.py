"""What a plan costs, exactly, by household and term, by term, and by stage of the strict order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from matcher.check.costs import (
    TERM_COLUMNS,
    Term,
    floor_cost,
    floor_members,
    floor_target,
    link_cost,
    link_payer,
    move_term,
    spare_term,
    ties_term,
    unplaced_term,
)
from matcher.check.exact import Bools, Exact, exact_array, total
from matcher.check.seats import Housed, Seating
from matcher.check.tables import over_pairs
from matcher.check.world import World
from matcher.result import TERMS


@dataclass(frozen=True)
class Account:
    """What a plan costs. terms: term → units of each row of the plan. unplaced: units of each household, 0 where it has a place."""

    terms: Mapping[str, Exact]
    unplaced: Exact
    floors: int

    def term(self, name: str) -> int:
        """Sum of one term over the plan."""
        own = {"unplaced": self.unplaced, "floors": exact_array([self.floors])}
        return sum(total(values) for values in (self.terms.get(name), own.get(name)) if values is not None)

    def stages(self, world: World) -> dict[str, int]:
        """Value of each stage of the strict order, and of `all`."""
        priority = world.guests.classes("priority")
        values: dict[str, int] = {f"unplaced_{n}": 0 for n in range(1, 6)}
        for code, row in enumerate(priority.first):
            values[f"unplaced_{world.households.rows[row].priority}"] = total(self.unplaced[priority.code == code])
        values["floors"] = self.floors
        values["ties"] = self.term("ties") + self.term("linked")
        values["rest"] = sum(self.term(name) for name in TERMS if name not in ("ties", "linked", "unplaced", "floors"))
        return values | {"all": sum(values.values())}


def account(world: World, plan: Housed, seating: Seating) -> Account:
    """The costs of a plan, whose parties take the rooms that `seating` tells."""
    terms = {}
    for name in TERM_COLUMNS:
        terms[name] = _of_all(world, plan, name)
    terms["ties"] = _of_some(world, plan, ties_term, world.own_ties)
    terms["move"] = _of_some(world, plan, move_term, world.standing)
    terms["spare"] = _spare(world, plan, seating)
    terms["linked"] = _linked(world, plan)
    floors = 0
    for group in world.policy.floors.share:
        target, _ = floor_target(world, group)
        members = floor_members(world, group)
        floors += floor_cost(world, max(0, target - int(world.persons[members[plan.row_of[members] >= 0]].sum())))
    return Account(terms, _unplaced(world, plan.row_of < 0), floors)


def unplaced_costs(world: World) -> Exact:
    """What leaving each household unplaced costs, whoever it is."""
    classes = world.guests.classes("persons", "priority", "waiting_since")
    return exact_array([unplaced_term(world, world.households.rows[k]) for k in classes.first.tolist()])[classes.code]


def _unplaced(world: World, without: Bools) -> Exact:
    """The same for who has no place; nothing for who has one or is left out."""
    costs = unplaced_costs(world)
    costs[~without] = 0
    costs[[world.households.position[i] for i in world.left_out]] = 0
    return costs


def _of_all(world: World, plan: Housed, name: str) -> Exact:
    """A term that depends on a few columns."""
    term, of_households, of_offers = TERM_COLUMNS[name]
    guests, lodgings = world.guests.classes(*of_households), world.lodgings.classes(*of_offers)
    people, offers = world.households.rows, world.offers.rows
    which, values = over_pairs(guests, lodgings, plan.who, plan.where, lambda h, a: term(world, people[h], offers[a]))
    return exact_array(values)[which]


def _of_some(world: World, plan: Housed, term: Term, ids: Iterable[str]) -> Exact:
    """A term that only these households can have."""
    values = [0] * len(plan.who)
    for i in ids:
        row = int(plan.row_of[world.households.position[i]]) if i in world.households else -1
        if row >= 0:
            values[row] = term(world, world.households[i], world.offers.rows[plan.where[row]])
    return exact_array(values)


def _spare(world: World, plan: Housed, seating: Seating) -> Exact:
    """Empty beds, charged to the first household of each party."""
    values = [0] * len(plan.who)
    alike = world.lodgings.classes("capacity", "shared", "rooms").code[seating.offer].tolist()
    known: dict[tuple[int, int, int], int] = {}
    cases = zip(alike, seating.persons.tolist(), seating.rooms, seating.offer.tolist(), plan.row_of[seating.first].tolist(), strict=True)
    for kind, persons, rooms, offer, row in cases:
        if row < 0:
            continue
        case = kind, persons, sum(rooms)
        if case not in known:
            known[case] = spare_term(world, world.offers.rows[offer], persons, rooms)
        values[row] = known[case]
    return exact_array(values)


def _linked(world: World, plan: Housed) -> Exact:
    """Soft ties between two households that both have a place."""
    values = [0] * len(plan.who)
    for tie in world.links:
        if tie.binds:
            continue
        one, other = plan.offer_of(world, tie.household_id), plan.offer_of(world, tie.other_household_id or "")
        if one is not None and other is not None:
            values[plan.row_of[world.households.position[link_payer(world, tie)]]] += link_cost(world, tie, one, other)
    return exact_array(values)

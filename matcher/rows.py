"""From a plan as positions to the rows people read: placements with their costs and alternatives, and the unplaced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from matcher import costs, links
from matcher.alternatives import Room
from matcher.columns import Ints, codes
from matcher.compile import Compiled
from matcher.errors import InternalError
from matcher.evaluate import cost_by_stage, missing
from matcher.i18n import Translator, translator
from matcher.layers import Bools
from matcher.lookup import ById, classes
from matcher.model import Accommodation, Household, Instance, SetAside, Tie
from matcher.parts import Parties
from matcher.placed import NO_TIE, Held, Placements
from matcher.places.called import place_name
from matcher.places.models import travel_for
from matcher.policy import Policy
from matcher.problem import UNPLACED
from matcher.reasons import Reasons
from matcher.result import TERMS, Cost, PlacementRow, Plan, UnplacedRow
from matcher.roles import pair_ties
from matcher.tied import km10_of, tie_states
from matcher.usage import homes_of
from matcher.wording.tables import LEFT_OUT_WORDS, OWN_ROW_FAULTY


class Rows:
    """Builds the rows of one plan. Raises InternalError if the rows do not add up to the plan's cost.

    home: offer of each household by position, free or fixed, UNPLACED without one.
    """

    def __init__(self, compiled: Compiled, plan: Plan, with_alternatives: bool = True) -> None:
        self.compiled, self.plan = compiled, plan
        self.with_alternatives = with_alternatives
        self.room = Room(compiled.problem, plan)
        self.home = np.concatenate([np.array(plan.home, dtype=np.int64), np.array(compiled.fixed_home, dtype=np.int64)])
        self.held = Parties.of(compiled.problem.parties)
        self.row = compiled.household_of.positions(compiled.households)
        self.row_of_offer = compiled.offer_of.positions(compiled.offers)

    def placements(self) -> Placements:
        """One row for each placed household, sorted by id."""
        compiled = self.compiled
        position = np.flatnonzero(self.home != UNPLACED)
        ids = compiled.households
        position = np.array(sorted(position.tolist(), key=ids.__getitem__), dtype=np.int64)
        offer = self.home[position]
        rooms, spare = self._rooms()
        persons = self.persons[position]
        tie_km10, kept = self._ties()
        alternatives, added = self._alternatives()
        spots, sites = self._of_offer("spot"), self._of_offer("site_id")
        starts, start = self._of_household("spot")
        terms = self._terms(position, offer)
        terms[TERMS.index("spare")] += spare[position]
        room_code, room_sets = classes(rooms[h] for h in position.tolist())
        return Placements(
            household_ids=[ids[h] for h in position.tolist()],
            offers=compiled.offers,
            offer=offer,
            site=(sites[0][offer], [site or "" for site in sites[1]]),
            place=(spots[0][offer], [place_name(spot) for spot in spots[1]]),
            persons=persons,
            rooms=(room_code, room_sets),
            status=self._status(position),
            km10=km10_of(compiled.travel, start, list(spots[1]), starts[position], spots[0][offer]),
            minutes=compiled.travel.minutes_of(start, spots[1], starts[position], spots[0][offer]),
            terms=terms,
            tie_km10=tie_km10[position],
            ties_kept=kept[position],
            alternatives=alternatives[position],
            added=added[position],
            changed_from=self._changed_from(position),
            protected=self.protected[position],
        )

    @cached_property
    def persons(self) -> Ints:
        """Persons of each household, by position."""
        code, values = self._of_household("persons")
        return np.array(values, dtype=np.int64)[code]

    @cached_property
    def protected(self) -> Bools:
        """Protected households, by position."""
        return self._flags(self.compiled.roles.protected)

    def _flags(self, ids: Iterable[str]) -> Bools:
        out = np.zeros(len(self.home), dtype=np.bool_)
        out[self._positions(ids)] = True
        return out

    def _positions(self, ids: Iterable[str]) -> Ints:
        """Positions of those of the households that are free or fixed."""
        known = self.compiled.positions
        return np.array([known[h] for h in ids if h in known], dtype=np.int64)

    def _of_household(self, field: str) -> tuple[Ints, list[Any]]:
        """A field of the households: (code by position, values)."""
        code, values = codes(self.compiled.instance.households, field)
        return code[self.row], values

    def _of_offer(self, field: str) -> tuple[Ints, list[Any]]:
        """A field of the accommodations: (code by position of the offer, values)."""
        code, values = codes(self.compiled.instance.accommodations, field)
        return code[self.row_of_offer], values

    def _status(self, position: Ints) -> Held:
        standing = self.compiled.roles.fixed
        fixed, values = classes(["proposed", *(standing[h].status for h in self.compiled.households[self.compiled.free :])])
        code = np.zeros(len(self.home), dtype=np.int64)
        code[self.compiled.free :] = fixed[1:]
        return code[position], values

    def _changed_from(self, position: Ints) -> Held:
        compiled = self.compiled
        before: dict[int, str] = {}
        for household_id, was in compiled.roles.proposed.items():
            h = compiled.positions.get(household_id)
            if h is not None and self.home[h] != UNPLACED and compiled.offers[self.home[h]] != was:
                before[h] = was
        code = np.zeros(len(self.home), dtype=np.int64)
        number, values = classes(["", *before.values()])
        code[list(before)] = number[1:]
        return code[position], values

    def _rooms(self) -> tuple[list[tuple[int, ...]], Ints]:
        """Rooms that stand on each household's row, and the cost of their empty beds, by position: those of a party on its
        first household; of a shared offer those chosen, of one that is not shared all of them."""
        compiled, problem = self.compiled, self.compiled.problem
        rooms: list[tuple[int, ...]] = [()] * len(self.home)
        spare = np.zeros(len(self.home), dtype=np.int64)
        shared, in_all = self._of_offer("shared"), self._of_offer("rooms")
        lockable = np.array(shared[1], dtype=np.bool_)[shared[0]]
        every = [tuple(sorted(sizes or ())) for sizes in in_all[1]]
        counted = lockable & np.array([sizes is not None for sizes in in_all[1]], dtype=np.bool_)[in_all[0]]
        known: dict[tuple[tuple[int, ...], int], int] = {}

        def charge(first: int, taken: tuple[int, ...], offer: int, persons: int) -> None:
            rooms[first] = taken
            if taken and counted[offer]:
                key = taken, persons
                if key not in known:
                    known[key] = costs.spare(sum(taken) - persons, compiled.policy)
                spare[first] = known[key]

        homes, people = homes_of(problem, self.plan), problem.party_persons()
        firsts = np.minimum.reduceat(self.held.member, self.held.start[:-1]) if len(homes) else homes
        placed = np.flatnonzero(homes != UNPLACED)
        for q, first, offer in zip(placed.tolist(), firsts[placed].tolist(), homes[placed].tolist(), strict=True):
            taken = self.plan.rooms[q] if lockable[offer] else every[in_all[0][offer]]
            if taken:
                charge(first, taken, offer, int(people[q]))
        for party in compiled.roles.fixed_parties:
            members = [compiled.positions[h] for h in party]
            charge(members[0], compiled.fixed_rooms[party[0]], int(self.home[members[0]]), int(self.persons[members].sum()))
        return rooms, spare

    def _terms(self, position: Ints, offer: Ints) -> Ints:
        """Cost of each placement by term, empty beds of room sets apart. Shape (terms, N)."""
        out = np.zeros((len(TERMS), len(position)), dtype=np.int64)
        for layer in self.compiled.problem.terms:
            if layer.name != "linked":
                out[TERMS.index(layer.name)] += layer.pairs(position, offer)
        charged = self._link_costs()
        linked = np.zeros(len(self.home), dtype=np.int64)
        linked[[self.compiled.positions[h] for h in charged]] = list(charged.values())
        out[TERMS.index("linked")] = linked[position]
        return out

    def _link_costs(self) -> dict[str, int]:
        """Cost of the soft links between placed households, by the household that they are charged to."""
        compiled = self.compiled
        charged: dict[str, int] = {}
        protected = compiled.roles.protected
        for tie in self._pairs:
            at_g, at_h = self._offer_at(tie.household_id), self._offer_at(tie.other_household_id)
            if tie.binds or at_g is None or at_h is None:
                continue
            g, h = compiled.household_of[tie.household_id], compiled.household_of[tie.other_household_id or ""]
            cost = links.link_cost(tie, g, h, at_g, at_h, compiled.travel, compiled.policy)
            only_other = h.household_id in protected and g.household_id not in protected
            payer = h.household_id if only_other else g.household_id
            charged[payer] = charged.get(payer, 0) + cost
        return charged

    @cached_property
    def _pairs(self) -> list[Tie]:
        """The ties between two households."""
        return pair_ties(self.compiled.instance)

    def _offer_at(self, household_id: str | None) -> Accommodation | None:
        """The accommodation of a placed household."""
        h = self.compiled.positions.get(household_id or "")
        home = UNPLACED if h is None else int(self.home[h])
        return None if home == UNPLACED else self.compiled.offer_of[self.compiled.offers[home]]

    def _alternatives(self) -> tuple[Ints, Ints]:
        """(offers, added costs) by position. None for those whose other costs would tell where a protected one is."""
        room, shy = self.room, self._shy()[self.held.member]
        told = self.held.owner[~shy]
        wanted = np.zeros(len(self.held), dtype=np.bool_)
        wanted[told] = True
        parties = np.flatnonzero(wanted & (room.homes != UNPLACED))
        if not self.with_alternatives:
            parties = parties[:0]
        offers, added = room.next_best(parties)
        number = np.full(len(self.held), -1, dtype=np.int64)
        number[parties] = np.arange(len(parties))
        number = number[self.held.owner]
        of = np.full(len(self.home), -1, dtype=np.int64)
        of[self.held.member] = np.where(shy, -1, number)
        shape = len(self.home), offers.shape[1]
        out, more = np.full(shape, -1, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        some = np.flatnonzero(of >= 0)
        out[some], more[some] = offers[of[some]], added[of[some]]
        return out, more

    def _shy(self) -> Bools:
        """Unprotected households linked to a protected one: costs of moving them would tell where that one is."""
        protected, shy = self.compiled.roles.protected, set()
        for tie in self._pairs:
            pair = {tie.household_id, tie.other_household_id or ""}
            if pair & protected:
                shy |= pair - protected
        return self._flags(shy)

    def _ties(self) -> tuple[Ints, Ints]:
        """(km to the nearest tie, number of ties kept) by position. Ties to a protected household are told on its own side only."""
        compiled, count = self.compiled, len(self.compiled.household_of)
        home, secret = np.full(count, -1, dtype=np.int64), np.zeros(count, dtype=np.bool_)
        placed = self.home != UNPLACED
        home[self.row[placed]] = self.row_of_offer[self.home[placed]]
        at = compiled.household_of.positions(compiled.roles.protected)
        secret[at] = True
        states = tie_states(compiled.instance, compiled.household_of, compiled.offer_of, compiled.travel, home)
        told = states.known & ~((states.other >= 0) & secret[states.other] & ~secret[states.owner])
        kept = np.bincount(states.owner[told & states.kept], minlength=count)
        far = np.iinfo(np.int64).max
        nearest = np.full(count, far)
        pulls = told & states.pulls
        np.minimum.at(nearest, states.owner[pulls], states.km10[pulls])
        nearest[nearest == far] = NO_TIE
        return nearest[self.row], kept[self.row]

    def unplaced(self, lang: str = "en") -> tuple[UnplacedRow, ...]:
        """One row for each household without a place, sorted by id; the left out and the quarantined among them.

        lang: of the sentences."""
        compiled, t = self.compiled, translator(lang)
        rows: list[tuple[str, str, str]] = []
        reasons = Reasons(compiled, self.plan, self.room)
        for h in np.flatnonzero(self.home[: compiled.free] == UNPLACED).tolist():
            code = reasons.reason(h)
            rows.append((compiled.households[h], code, reasons.sentence(h, code, t)))
        rows += [(household_id, code, t.say(LEFT_OUT_WORDS[code])) for household_id, code in compiled.roles.left_out.items()]
        found = self._unplaced_rows(rows)
        return tuple(sorted([*found, *self._quarantined(t)], key=lambda row: row.household_id))

    def _unplaced_rows(self, rows: Sequence[tuple[str, str, str]]) -> list[UnplacedRow]:
        """rows: (household, reason, sentence) each."""
        at = self.compiled.household_of.positions(household_id for household_id, _, _ in rows)
        columns = [codes(self.compiled.instance.households, field) for field in ("persons", "priority")]
        persons, priority = ([values[k] for k in code[at].tolist()] for code, values in columns)
        return [UnplacedRow(row[0], *known, *row[1:]) for row, known in zip(rows, zip(persons, priority, strict=True), strict=True)]

    def _quarantined(self, t: Translator) -> Iterable[UnplacedRow]:
        """Households whose own row is set aside, where its id could be read; an id that stands twice has no known persons."""
        seen: dict[str, SetAside | None] = {}
        for row in self.compiled.instance.set_aside:
            if row.is_of("households") and row.id and row.id not in self.compiled.household_of:
                seen[row.id] = None if row.id in seen else row
        sentence = t.say(OWN_ROW_FAULTY)
        return [
            UnplacedRow(i, None if row is None else row.persons, None if row is None else row.priority, "quarantined", sentence)
            for i, row in seen.items()
        ]


def plan_of_rows(compiled: Compiled, placements: Iterable[PlacementRow]) -> Plan:
    """The plan as positions that the rows of a run stand for."""
    rows = {row.household_id: row for row in placements}
    problem = compiled.problem
    home = [UNPLACED] * len(problem.persons)
    rooms: list[tuple[int, ...]] = [()] * len(problem.parties)
    for q, party in enumerate(problem.parties):
        for h in party:
            row = rows.get(compiled.households[h])
            if row is not None:
                home[h] = compiled.offer_positions[row.accommodation_id]
                if problem.sizes[home[h]] is not None and row.rooms:
                    rooms[q] = row.rooms
    return Plan(tuple(home), tuple(rooms))


def ties_count(instance: Instance, policy: Policy, placements: Sequence[PlacementRow]) -> tuple[int, int, dict[str, dict[str, int]]]:
    """(kept, all, by kind) over the ties of placed households whose other end is placed too; none of or to protected ones."""
    travel = travel_for(instance, policy)
    households, offers = ById(instance.households, "household_id"), ById(instance.accommodations, "accommodation_id")
    states = tie_states(instance, households, offers, travel, open_homes(placements, households, offers))
    code, kinds = codes(instance.ties, "kind")
    every = np.bincount(code[states.known], minlength=len(kinds)).tolist()
    kept = np.bincount(code[states.kept], minlength=len(kinds)).tolist()
    table = {kind: {"kept": kept[k], "all": every[k]} for kind, k in sorted(zip(kinds, range(len(kinds)), strict=True)) if every[k]}
    return sum(kept), sum(every), table


def open_homes(placements: Sequence[PlacementRow], households: ById[Household], offers: ById[Accommodation]) -> Ints:
    """Row of the accommodation of each row of households; -1 for those without a place, and for protected ones."""
    held = Placements.of(placements)
    home = np.full(len(households), -1, dtype=np.int64)
    told = np.flatnonzero(~held.protected)
    row = households.positions(held.household_ids[i] for i in told.tolist())
    home[row] = offers.positions(held.offers)[held.offer[told]]
    return home


def plan_cost(compiled: Compiled, plan: Plan, placements: Placements) -> Cost:
    """The plan's cost by term. Raises InternalError if it is not what the problem says that the plan costs."""
    problem = compiled.problem
    terms = dict(zip(TERMS, placements.terms.sum(axis=1).tolist(), strict=True))
    out = np.array(plan.home, dtype=np.int64) == UNPLACED
    terms["unplaced"] += int(problem.unplaced_cost[out].sum())
    terms["floors"] += sum(f.cost(missing(problem, plan, f.wanted - f.fixed, f.households)) for f in problem.floors)
    total = Cost({term: value for term, value in terms.items() if value})
    wanted = sum(cost_by_stage(problem, plan))
    if total.total != wanted:
        raise InternalError(f"the rows add up to {total.total}, the plan to {wanted}")
    return total

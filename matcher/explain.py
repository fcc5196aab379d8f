"""Why here, why not: one household's placement by term with what else there was, or its funnel of rules and whom the policy prefers."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from matcher.advise.remedies import find_remedy
from matcher.alternatives import Room
from matcher.answers import Explained, Funnel, Other, TieTold
from matcher.changes import Remedies
from matcher.compile import Compiled, compile_instance
from matcher.doors import NUMBER, takes
from matcher.errors import UsageError
from matcher.i18n import translator
from matcher.model import Instance
from matcher.others import Ways
from matcher.placed import Placements
from matcher.places.called import names, place_name
from matcher.policy import Policy
from matcher.reasons import funnels
from matcher.resolved import resolved
from matcher.result import LEFT_OUT_REASONS, PlacementRow, Plan, Result, UnplacedRow
from matcher.rows import plan_of_rows
from matcher.tied import TieStates, tie_states
from matcher.wording.explanations import lines


@dataclass(frozen=True)
class Explanation(Explained):
    """See `Explained`; as text it is English."""

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self, lang: str = "en") -> list[str]:
        """The explanation as lines of plain text in a language."""
        return lines(self, translator(lang))


@takes(result=Result, household_id=str, effort=NUMBER)
def explain(result: Result, household_id: str, *, effort: float = 1.0) -> Explanation:
    """Why a household of the result is where it is, or why it has no place and what would help.

    effort: of solving again, with the household pinned to each of its next best offers, or for a remedy where the result has none yet;
    0: not at all. Raises UsageError for an unknown id.
    """
    explainer = Explainer.of(result)
    found = explainer.explain(household_id, effort=effort)
    if found.placed or result.remedies is not None or effort <= 0 or not explainer.same:
        return found
    remedy, examined = find_remedy(result, household_id, effort)
    return replace(found, remedy=remedy, examined=examined)


@takes(result=Result)
def explanations(result: Result) -> Iterator[Explanation]:
    """The explanations of all households of a result, sorted by id, without solving again."""
    return Explainer.of(result).every()


class Explainer:
    """Explains the households of one run. Everything is worked out once, when it is first asked for.

    placements, unplaced: the rows of the run. remedies: what was found to help. seed: of the run.
    """

    def __init__(
        self,
        instance: Instance,
        policy: Policy,
        date: dt.date,
        placements: Sequence[PlacementRow],
        unplaced: Sequence[UnplacedRow],
        *,
        seed: int = 0,
        remedies: Remedies | None = None,
        plan: Plan | None = None,
        same: bool = True,
    ) -> None:
        """same: the instance is the one that the rows were made from; else the rows must do alone. plan: what the rows stand for."""
        self.instance, self.policy, self.date, self.seed = instance, policy, date, seed
        self.placements, self.unplaced, self.remedies, self.same = placements, unplaced, remedies, same
        self._plan = plan
        self.placed_at = {household_id: i for i, household_id in enumerate(Placements.of(placements).household_ids)}
        self.unplaced_at = {row.household_id: row for row in unplaced}

    @classmethod
    def of(cls, result: Result, *, same: bool = True) -> Explainer:
        """For a result of `solve`, or of `published.result_of`. Raises UsageError for one of a bare problem."""
        if result.instance is None or result.policy is None or result.options is None or result.options.date is None:
            raise UsageError("only a result of an instance can be explained")
        options = result.options
        assert options.date is not None
        return cls(
            result.instance, result.policy, options.date, result.placements, result.unplaced,
            seed=options.seed, remedies=result.remedies, plan=result.plan if result.plan.home else None, same=same,
        )  # fmt: skip

    @cached_property
    def compiled(self) -> Compiled:
        return compile_instance(self.instance, self.policy, self.date, self.seed)

    @cached_property
    def plan(self) -> Plan:
        return plan_of_rows(self.compiled, self.placements) if self._plan is None else self._plan

    @cached_property
    def ways(self) -> Ways:
        return Ways(self.compiled, Room(self.compiled.problem, self.plan), self.placements)

    def explain(self, household_id: str, *, effort: float = 0.0) -> Explanation:
        """One household. Raises UsageError for an unknown id."""
        if household_id in self.placed_at:
            found = self._placed(self.placements[self.placed_at[household_id]])
            return self._solved_again(found, effort) if effort > 0 and found.alternatives and self.same else found
        if household_id in self.unplaced_at:
            return self._left(self.unplaced_at[household_id])
        raise UsageError(f"there is no household {household_id!r} in this run")

    def every(self) -> Iterator[Explanation]:
        """All households, sorted by id."""
        if self.same:
            self._look_at_all()
        rows: list[PlacementRow | UnplacedRow] = [*self.placements, *self.unplaced]
        for row in sorted(rows, key=lambda row: row.household_id):
            yield self._placed(row) if isinstance(row, PlacementRow) else self._left(row)

    def _look_at_all(self) -> None:
        parties = np.flatnonzero(self.ways.room.homes >= 0)
        self._others.update(self.ways.not_to_be_had(parties[self._tellable(parties)]))

    def _tellable(self, parties: np.ndarray[tuple[int], np.dtype[np.int64]]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Parties of whom it may be told what else they could have."""
        quiet = self.compiled.roles.protected | self.ways.shy
        names, members = self.compiled.households, self.compiled.problem.parties
        return np.array([quiet.isdisjoint(names[h] for h in members[q]) for q in parties.tolist()], dtype=np.bool_)

    @cached_property
    def _others(self) -> dict[int, tuple[Other, ...]]:
        return {}

    def _placed(self, row: PlacementRow) -> Explanation:
        if row.protected:
            return Explanation(row.household_id, row.persons, placed=True, hidden=True)
        return Explanation(
            household_id=row.household_id,
            persons=row.persons,
            placed=True,
            accommodation_id=row.accommodation_id,
            place=row.place,
            status=row.status,
            km10=row.km10,
            tie_km10=row.tie_km10,
            ties_kept=row.ties_kept,
            ties=self._ties(row.household_id),
            cost=row.terms,
            alternatives=row.alternatives,
            others=self._not_had(row.household_id),
        )

    def _not_had(self, household_id: str) -> tuple[Other, ...]:
        h = self.compiled.positions.get(household_id, -1) if self.same else -1
        if not 0 <= h < self.compiled.free:
            return ()
        q = self.ways.party_of(h)
        if q not in self._others:
            told = self._tellable(np.array([q]))[0]
            self._others.update(self.ways.not_to_be_had(np.array([q])) if told else {q: ()})
        return self._others[q]

    def _left(self, row: UnplacedRow) -> Explanation:
        out = Explanation(row.household_id, row.persons, False, reason=row.reason, sentence=row.explanation)
        if row.reason in LEFT_OUT_REASONS or not self.same or row.household_id not in self.compiled.positions:
            return out
        h = self.compiled.positions[row.household_id]
        seen = self._funnels[h] if h in self._funnels else next(funnels(self.compiled.problem, [h]))[1].funnel
        preferred = self.ways.preferred(h) if row.reason == "no_capacity" and self._tellable(np.array([self.ways.party_of(h)]))[0] else ()
        remedy = None if self.remedies is None else self.remedies.found.get(row.household_id)
        examined = self.remedies is not None and row.household_id in self.remedies.none
        return replace(out, funnel=seen, preferred=preferred, remedy=remedy, examined=examined or remedy is not None)

    @cached_property
    def _funnels(self) -> dict[int, Funnel]:
        """Of all unplaced households at once: those with equal rows share their work."""
        wanted = [self.compiled.positions[i] for i in self.unplaced_at if i in self.compiled.positions]
        return {h: sieved.funnel for h, sieved in funnels(self.compiled.problem, wanted)}

    def _solved_again(self, found: Explanation, effort: float) -> Explanation:
        h = self.compiled.positions[found.household_id]
        again = resolved(self.compiled, self.plan, self.ways.party_of(h), found.alternatives, effort, self.seed)
        return replace(found, alternatives=again)

    @cached_property
    def _states(self) -> tuple[TieStates, dict[str, list[int]]]:
        compiled = self.compiled
        home = np.full(len(compiled.household_of), -1, dtype=np.int64)
        held = Placements.of(self.placements)
        home[compiled.household_of.positions(held.household_ids)] = compiled.offer_of.positions(held.offers)[held.offer]
        states = tie_states(self.instance, compiled.household_of, compiled.offer_of, compiled.travel, home)
        of: dict[str, list[int]] = defaultdict(list)
        for i, owner in enumerate(states.owner.tolist()):
            of[compiled.household_of.ids[owner]].append(i)
        return states, dict(of)

    def _ties(self, household_id: str) -> tuple[TieTold, ...]:
        """The household's own ties; none to who is protected, and no name of who it is kept apart from."""
        if not self.same:
            return ()
        states, of = self._states
        told = []
        for i in of.get(household_id, ()):
            tie = self.instance.ties[i]
            other, target = tie.other_household_id, tie.accommodation_id
            if other is not None and (other in self.compiled.roles.protected or tie.kind == "apart"):
                continue
            if tie.spot is not None:
                target = place_name(tie.spot)
            known = bool(states.known[i])
            km10, kept = (int(states.km10[i]), bool(states.kept[i])) if known else (None, None)
            told.append(TieTold(target or other, tie.kind, tie.relation, tie.binds, km10, kept))
        return tuple(told)


def with_names(found: Explanation, instance: Instance, lang: str) -> Explanation:
    """The same with the places called as the language calls them; English is what an explanation holds."""
    if lang == "en" or found.hidden:
        return found
    wanted = {found.accommodation_id, *(one.accommodation_id for one in found.others), *(one.accommodation_id for one in found.preferred)}
    called = {offer.accommodation_id: names(offer.spot)[1] for offer in instance.accommodations if offer.accommodation_id in wanted}
    spots = [tie.spot for tie in instance.ties if tie.household_id == found.household_id and tie.spot is not None]
    targets = {place_name(spot): names(spot)[1] for spot in spots}
    return replace(
        found,
        place=called.get(found.accommodation_id or "", found.place or "") or None,
        others=tuple(replace(one, place=called.get(one.accommodation_id, one.place)) for one in found.others),
        preferred=tuple(replace(one, place=called.get(one.accommodation_id, one.place)) for one in found.preferred),
        ties=tuple(replace(tie, target=targets.get(tie.target or "", tie.target)) for tie in found.ties),
    )

"""Answers to why and what else, as plain data. Ids only where they may be named (MODEL.md, Who decides); words: `matcher.wording`.

Costs are whole units of 1/10 person-km, distances tenths of a km.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from matcher.changes import Remedy
from matcher.result import Alternative, Cost
from matcher.worth import FloorPrice


@dataclass(frozen=True)
class Funnel:
    """How many offers each rule strikes out, each offer at its first rule in MODEL.md's order.

    opens: for each rule how many more offers would be left if it alone were lifted, most first; rules that open none are not there.
    """

    offers: int
    struck: tuple[tuple[str, int], ...]
    left: int
    opens: tuple[tuple[str, int], ...] = ()

    @property
    def opener(self) -> tuple[str, int] | None:
        """The rule whose lifting alone would open the most offers, and how many."""
        return self.opens[0] if self.opens else None


@dataclass(frozen=True)
class TieTold:
    """A tie of a placed household, and what became of it. target: a place, an accommodation, or a household that may be named,
    None where it may not. km10: None where the other household has no place or may not be told. kept: None likewise."""

    target: str | None
    kind: str
    relation: str | None
    required: bool
    km10: int | None
    kept: bool | None


@dataclass(frozen=True)
class Full:
    """An offer without room for a household. households: how many are there. fixed: how many of them have accepted or moved in, or are
    pinned. nowhere: how many have no other free offer. least_loss: what each of the others would lose at least if it moved, in 1/10
    km per person; None where nobody could move, or it is not told."""

    households: int
    fixed: int = 0
    nowhere: int = 0
    least_loss: int | None = None


@dataclass(frozen=True)
class Other:
    """An offer that a placed household did not get. added_cost: what the household's own terms would be more there (less: negative).
    rules: codes of the rules that strike it out. full: who is there, where room is what lacks."""

    accommodation_id: str
    place: str
    added_cost: int
    rules: tuple[str, ...] = ()
    full: Full | None = None


@dataclass(frozen=True)
class Preferred:
    """An offer that would suit an unplaced household, and for whom it is taken.

    household_id: the one there that gives way most easily, None where it may not be named. why: `fixed`, `pinned`, `linked`, `room`
    (its leaving would not make room enough), `several` (room for a household, not for what is bound to it), or what speaks most for it:
    `urgency`, `persons`, `waited` (all three the term `unplaced`) or another term; then margin: what exchanging the two would cost,
    in 1/10 person-km.
    """

    accommodation_id: str
    place: str
    households: int
    household_id: str | None
    why: str
    margin: int | None = None


@dataclass(frozen=True)
class Explained:
    """What became of one household. Placed: where, its ties, cost by term, next best offers and what stands in the way of others; else
    reason, funnel, who is preferred, and what would help.

    hidden: a protected household; its destination stands in placements_protected.csv only, so nothing is told here.
    alternatives: free offers, all else as it is; their resolved_cost where the plan was solved again with the household pinned there.
    examined: whether a remedy was looked for.
    """

    household_id: str
    persons: int | None
    placed: bool
    hidden: bool = False
    accommodation_id: str | None = None
    place: str | None = None
    status: str | None = None
    km10: int | None = None
    tie_km10: int | None = None
    ties_kept: int = 0
    ties: tuple[TieTold, ...] = ()
    cost: Cost | None = None
    alternatives: tuple[Alternative, ...] = ()
    others: tuple[Other, ...] = ()
    reason: str | None = None
    sentence: str | None = None
    funnel: Funnel | None = None
    preferred: tuple[Preferred, ...] = ()
    remedy: Remedy | None = None
    examined: bool = False


@dataclass(frozen=True)
class Share:
    """One row of a fairness table: households and persons in all and placed; km per person placed (tenths, mean), ties kept of those
    that could be. Kilometres and ties leave protected households out; None where nobody is left."""

    key: str
    households: int
    persons: int
    households_placed: int
    persons_placed: int
    km10_per_person: int | None
    ties_kept: int
    ties: int


@dataclass(frozen=True)
class Envy:
    """Unplaced households that would have fitted where one of lower urgency is, once each, by what speaks against the exchange.

    fixed, pinned, linked: all those below stand by a fact, a decision or a tie. weighed: the policy prefers somebody less urgent, by
    persons, days waited or kilometres. households: in all.
    """

    households: int
    fixed: int
    pinned: int
    linked: int
    weighed: int


@dataclass(frozen=True)
class Fairness:
    """Who got what: by group, priority, size and oblast of origin; what floors cost; and who might ask why."""

    groups: tuple[Share, ...]
    priorities: tuple[Share, ...]
    sizes: tuple[Share, ...]
    origins: tuple[Share, ...]
    floors: tuple[FloorPrice, ...] = ()
    envy: Envy = field(default_factory=lambda: Envy(0, 0, 0, 0, 0))


@dataclass(frozen=True)
class Moved:
    """A household that is in another offer."""

    household_id: str
    before: str
    after: str


@dataclass(frozen=True)
class Side:
    """A plan in numbers. groups: (group, persons placed). km10: person-km travelled, protected households apart."""

    status: str
    cost: Cost
    bound: int
    households: int
    persons: int
    unplaced: int
    km10: int
    ties_kept: int
    ties: int
    groups: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Difference:
    """Two plans: as it is, and with the changes. placed, unplaced: households that gain or lose a place. moved: of the others, those that
    go elsewhere. Protected households are named in none of them. options: the changes, as `matcher whatif` takes them."""

    before: Side
    after: Side
    placed: tuple[str, ...]
    unplaced: tuple[str, ...]
    moved: tuple[Moved, ...]
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CurvePoint:
    """One value of a swept weight, and the plan it gives: ties kept against kilometres (person-km travelled, tenths)."""

    value: str
    persons: int
    km10: int
    ties_kept: int
    ties: int
    cost: int
    proved: bool

"""What a run ends with, as plain data: status, plan, costs, certificate, and the rows that are written.

All costs are integers in units of 1/10 person-km, all distances integers in 1/10 km.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from matcher.changes import Remedies
from matcher.errors import UsageError
from matcher.model import Instance
from matcher.policy import Policy, SolveOptions
from matcher.worth import Worth

TERMS: tuple[str, ...] = (
    "travel", "ties", "home", "wants", "risk", "short", "spare", "move", "rent", "unplaced", "linked", "floors",
)  # fmt: skip
STAGES: tuple[str, ...] = (
    "unplaced_1", "unplaced_2", "unplaced_3", "unplaced_4", "unplaced_5", "floors", "ties", "rest",
)  # fmt: skip
Status = Literal["optimal", "feasible", "fallback"]
REASONS: tuple[str, ...] = (
    "no_consent", "quarantined", "no_adult", "held", "no_eligible", "tie", "split_pair", "policy", "no_capacity",
)  # fmt: skip
LEFT_OUT_REASONS: frozenset[str] = frozenset({"no_consent", "quarantined", "no_adult", "held"})


@dataclass(frozen=True, slots=True)
class Cost:
    """A cost in units of 1/10 person-km, by term of the objective (names of `TERMS`; a term not given is 0)."""

    terms: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Exact sum of all terms."""
        return sum(self.terms.values())

    def __getitem__(self, term: str) -> int:
        return self.terms.get(term, 0)

    def __add__(self, other: Cost) -> Cost:
        return Cost({term: self[term] + other[term] for term in TERMS if self[term] or other[term]})

    def __str__(self) -> str:
        parts = ", ".join(f"{term}={value / 10:,.1f}" for term, value in self.terms.items() if value)
        return f"{self.total / 10:,.1f} person-km ({parts})" if parts else "0.0 person-km"


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as positions of a `Problem`.

    home: length H, offer position of each household or UNPLACED (-1). rooms: length Q, sizes of the rooms each party takes,
    ascending, () where none are counted.
    """

    home: tuple[int, ...]
    rooms: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a household is. rooms: sizes taken by its party, on the party's first household only."""

    accommodation_id: str
    rooms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """A next best offer: what moving there would add to the plan's cost, all else as it is.

    resolved_cost: what it would add if everybody else may move as well, where the plan was solved again with the household pinned
    there; never more than added_cost. resolved_proved: no plan with that pin can cost less.
    """

    accommodation_id: str
    added_cost: int
    resolved_cost: int | None = None
    resolved_proved: bool = False


@dataclass(frozen=True, slots=True)
class PlacementRow:
    """One row of placements.csv (or placements_protected.csv).

    rooms: sizes taken, ascending; () where none are counted. The rooms of a party stand on the row of its first
    household by id. terms: this household's share of the plan's cost, links between households included: a link is
    charged to the `household_id` of its tie row (to the protected one where exactly one of the two is protected);
    a party's spare beds are charged to its first household by id.
    tie_km10: distance to its nearest tie, None without ties.
    """

    household_id: str
    accommodation_id: str
    site_id: str
    place: str
    persons: int
    rooms: tuple[int, ...]
    status: str
    km10: int
    minutes: Decimal | None
    terms: Cost
    tie_km10: int | None
    ties_kept: int
    alternatives: tuple[Alternative, ...] = ()
    changed_from: str = ""
    protected: bool = False


@dataclass(frozen=True, slots=True)
class UnplacedRow:
    """One row of unplaced.csv. persons, priority: None where the household's own row is quarantined and unreadable."""

    household_id: str
    persons: int | None
    priority: int | None
    reason: str
    explanation: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class StageProof:
    """Proof of one stage. In `weighted` order there is one stage, `all`; in `strict` order those of `STAGES`.

    value: cost of the plan in this stage. bound: L, rounded up to a whole unit. multipliers: λ_j of the stages before,
    in units of 1/scale. prices: accommodation → resource → date ("" where one row counts every night) → price, integers
    in units of 1/scale per unit of use. Resources: "persons", "unit", "rooms:SIZE", "need:WORD". floor_prices: group →
    μ_g, integers in units of 1/scale (cost units per missing person). Prices that are 0 are left out.
    closed: cost = bound, or a search over all eligible arcs was closed by an exact solver.
    """

    name: str
    value: int
    bound: int
    closed: bool
    proved_by: str | None
    multipliers: tuple[int, ...]
    prices: Mapping[str, Mapping[str, Mapping[str, int]]]
    floor_prices: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Certificate:
    """Everything a stranger needs, besides the CSV files, to recompute the bound in integer arithmetic.

    merged_links: pairs of household ids (sorted, smaller id first) whose links are kept in the bound: between the
    parties of the two, all ties between households count (soft ones cost, required ones restrict). The pairs form a
    forest over the parties. All other links are dropped, which can only lower the bound.
    """

    scale: int
    stages: tuple[StageProof, ...]
    merged_links: tuple[tuple[str, str], ...]
    bound: int

    def plain(self) -> dict[str, Any]:
        """As written to certificate.json."""
        stages = [
            {
                "name": s.name,
                "value": s.value,
                "bound": s.bound,
                "multipliers": list(s.multipliers),
                "prices": {a: {r: dict(sorted(d.items())) for r, d in sorted(rs.items())} for a, rs in sorted(s.prices.items())},
                "floor_prices": dict(sorted(s.floor_prices.items())),
            }
            for s in self.stages
        ]
        last = stages[-1]
        return {
            "unit": "0.1 person-km",
            "scale": self.scale,
            "bound": self.bound,
            "prices": last["prices"],
            "floor_prices": last["floor_prices"],
            "merged_links": [list(pair) for pair in self.merged_links],
            "stages": stages,
        }


@dataclass(frozen=True, slots=True)
class Effort:
    """What the search spent, and what cut it. Goes to run.json only."""

    work: float = 0.0
    cut_by: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """What `solve` returns.

    cost: by term. bound: L in whole units, what no plan can cost less than (in `strict` order: the sum of the stages'
    bounds). placements: one row for each placed household, protected ones among them (flagged). unplaced: everybody else,
    each with a reason. warnings: sentences. strategy, why: what ran, and why it was chosen. cut_by: None, or "effort",
    "time", "interrupt", "crash". instance, policy, options: what was solved, None for a bare `Problem`.
    remedies: what would help the unplaced (`advise.with_remedies`), None where nobody looked. worth: what else was found by solving
    again (`advise.worth`), None where nobody looked.
    """

    status: Status
    proved_by: str | None
    strategy: str
    why: str
    plan: Plan
    cost: Cost
    bound: int
    stages: tuple[StageProof, ...]
    certificate: Certificate | None
    placements: Sequence[PlacementRow]
    unplaced: tuple[UnplacedRow, ...]
    warnings: tuple[str, ...]
    effort: Effort
    instance: Instance | None = field(default=None, repr=False)
    policy: Policy | None = None
    options: SolveOptions | None = None
    remedies: Remedies | None = field(default=None, repr=False)
    worth: Worth | None = field(default=None, repr=False)

    @property
    def gap(self) -> float:
        """(cost − L) / max(1, |cost|): no plan can be better by a larger share."""
        return (self.cost.total - self.bound) / max(1, abs(self.cost.total))

    @property
    def gap_placed(self) -> float:
        """The same against the cost of those who are placed, which the large cost of the unplaced cannot hide."""
        return (self.cost.total - self.bound) / max(1, self.cost.total - self.cost["unplaced"])

    @property
    def gap_km_per_person(self) -> float:
        """(cost − L) / 10 / persons: no plan can be better by more weighted km per person. Persons: placed or unplaced."""
        persons = sum(row.persons for row in self.placements)
        persons += sum(row.persons or 0 for row in self.unplaced if row.reason not in LEFT_OUT_REASONS)
        return (self.cost.total - self.bound) / 10 / max(1, persons)


def of_instance(result: Result) -> tuple[Instance, Policy, SolveOptions]:
    """What a result was solved from. Raises UsageError for one of a bare problem."""
    if result.instance is None or result.policy is None or result.options is None:
        raise UsageError("only a result of an instance has this; that of a bare problem is its plan, cost and bound")
    return result.instance, result.policy, result.options

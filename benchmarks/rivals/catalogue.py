"""The rivals by name, what each is, and what it leaves out."""

from __future__ import annotations

from dataclasses import dataclass

from matcher.errors import UsageError

PAIRS = "all pairs but its candidates (and all but 6 room sets of each), so what it proves is no bound"


@dataclass(frozen=True)
class Rival:
    """kind: greedy, flow, cp-sat, highs or scip. candidates: 0 for all pairs. chosen: by capacity prices, else the cheapest.

    about, without: for the reader, what it is and what it leaves out.
    """

    name: str
    kind: str
    candidates: int
    chosen: bool
    about: str
    without: str


def _rival(kind: str, title: str, candidates: int, chosen: bool, about: str) -> Rival:
    if not candidates:
        return Rival(f"{kind}-all", kind, 0, False, f"{title}, {about}; all pairs", "nothing")
    how = (
        "well-chosen offers each (half the best at capacity prices, half drawn from the next hundred)"
        if chosen
        else "nearest offers each (those of least cost)"
    )
    return Rival(
        f"{kind}-{'good' if chosen else 'near'}{candidates}", kind, candidates, chosen, f"{title}, {about}; {candidates} {how}", PAIRS
    )


USER = "as a user writes it: a bool for every arc, a row for every rule, links by nested loops, parameters as they come (all cores)"
MIP = "as a mixed-integer program through MathOpt, on the rows our exact strategy is given, parameters as they come"
GREEDY = (
    "greedy by priority: households by priority class, in a class the scarcest first (fewest offers open to them), each to its "
    "cheapest offer that still has room"
)
FLOW = (
    "min-cost flow of persons, where households may be split (OR-Tools SimpleMinCostFlow, 30 well-chosen offers each), then a naive "
    "repair: whoever the flow kept whole stays where there is room, the rest is served as greedy does it"
)
RIVALS: dict[str, Rival] = {
    rival.name: rival
    for rival in (
        Rival("greedy", "greedy", 0, False, GREEDY, "second thoughts; soft ties between households and floors are not looked at; no bound"),
        Rival("flow", "flow", 30, True, FLOW,
              "the flow does not see rooms, needs, nights, links and floors; the repair keeps all rules, as greedy does; no bound"),
        *(_rival("cp-sat", "CP-SAT", n, chosen, USER) for n, chosen in ((0, False), (30, False), (12, True))),
        *(_rival("highs", "HiGHS", n, chosen, MIP) for n, chosen in ((0, False), (30, False), (12, True))),
        *(_rival("scip", "SCIP", n, chosen, MIP) for n, chosen in ((0, False), (30, False), (12, True))),
    )
}  # fmt: skip


def rival(name: str) -> Rival:
    """The rival of that name. Raises UsageError with the choices."""
    if name not in RIVALS:
        raise UsageError(f"there is no rival {name!r}; choose one of: {', '.join(RIVALS)}")
    return RIVALS[name]

"""What if: the run as it is and the run with changes, both solved, and what differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from matcher.answers import CurvePoint, Difference, Moved, Side
from matcher.changes import Change, SetPolicy, apply, as_option
from matcher.compile import Compiled
from matcher.doors import takes
from matcher.errors import UsageError
from matcher.lookup import ById
from matcher.model import Instance
from matcher.placed import Placements
from matcher.policy import Policy, SolveOptions
from matcher.result import LEFT_OUT_REASONS, Plan, Result
from matcher.rows import Rows, ties_count
from matcher.solver import OnProgress, solve


@takes(what=(Instance, Result), changes=Sequence, policy=Policy | None, options=SolveOptions | None, on_progress=Callable | None)
def whatif(
    what: Instance | Result,
    changes: Sequence[Change],
    policy: Policy | None = None,
    *,
    options: SolveOptions | None = None,
    on_progress: OnProgress | None = None,
    **more: Any,
) -> Difference:
    """Solve with and without the changes, and say what differs; nothing is written. what: an instance, or a result of it, which is then
    taken as the side without changes. options, more: as of `solve`. Raises what `solve` raises, and UsageError for changes of what is
    not there.
    """
    if isinstance(what, Result):
        if what.instance is None or what.policy is None:
            raise UsageError("only a result of an instance can be changed and solved again")
        before, instance, policy = what, what.instance, what.policy
        options = options or what.options
    else:
        instance, policy = what, policy or Policy()
        before = solve(instance, policy, options=options, on_progress=on_progress, **more)
    if before.options is not None:
        more = {**more, "date": before.options.date}
    changed, changed_policy = apply(instance, policy, changes)
    after = solve(changed, changed_policy, options=options, on_progress=on_progress, **more)
    return difference(before, after, changes)


def difference(before: Result, after: Result, changes: Sequence[Change] = ()) -> Difference:
    """What differs between two results. Protected households count as placed, and are not named."""
    then, now = (_open_homes(result) for result in (before, after))
    secret = {row.household_id for result in (before, after) for row in result.placements if row.protected}
    moved = tuple(Moved(i, then[i], now[i]) for i in sorted(then.keys() & now.keys()) if then[i] != now[i])
    return Difference(
        side(before),
        side(after),
        tuple(sorted(now.keys() - then.keys() - secret)),
        tuple(sorted(then.keys() - now.keys() - secret)),
        moved,
        tuple(as_option(change) for change in changes),
    )


def _open_homes(result: Result) -> dict[str, str]:
    return {row.household_id: row.accommodation_id for row in result.placements if not row.protected}


def side(result: Result) -> Side:
    """A result in numbers."""
    assert result.instance is not None and result.policy is not None
    held = Placements.of(result.placements)
    kept, every, _ = ties_count(result.instance, result.policy, held)
    households = ById(result.instance.households, "household_id")
    groups: dict[str, int] = {group: 0 for one in result.instance.households for group in one.groups}
    for row in result.placements:
        for group in households[row.household_id].groups:
            groups[group] += row.persons
    told = ~held.protected
    return Side(
        status=result.status,
        cost=result.cost,
        bound=result.bound,
        households=len(held),
        persons=int(held.persons.sum()),
        unplaced=sum(row.persons or 0 for row in result.unplaced if row.reason not in LEFT_OUT_REASONS),
        km10=int((held.km10[told] * held.persons[told]).sum()),
        ties_kept=kept,
        ties=every,
        groups=tuple(sorted(groups.items())),
    )


@takes(instance=Instance, key=str, values=Sequence, policy=Policy | None, options=SolveOptions | None, on_progress=Callable | None)
def sweep(
    instance: Instance,
    key: str,
    values: Sequence[Any],
    policy: Policy | None = None,
    *,
    options: SolveOptions | None = None,
    on_progress: OnProgress | None = None,
    **more: Any,
) -> tuple[CurvePoint, ...]:
    """The plan for each value of one key of the policy, in the order given: ties kept against kilometres.

    Raises what `solve` raises, and InputError where the policy cannot have such a value.
    """
    policy = policy or Policy()
    policies = [apply(instance, policy, [SetPolicy(key, value)])[1] for value in values]  # all faults before the first search
    points = []
    for value, one in zip(values, policies, strict=True):
        result = solve(instance, one, options=options, on_progress=on_progress, **more)
        seen = side(result)
        points.append(
            CurvePoint(str(value), seen.persons, seen.km10, seen.ties_kept, seen.ties, seen.cost.total, result.status == "optimal")
        )
    return tuple(points)


def kept_and_km(compiled: Compiled, plan: Plan) -> tuple[int, int]:
    """(ties kept, tenths of person-km travelled) of a plan as positions, protected households apart."""
    rows = Rows(compiled, plan, with_alternatives=False)
    held = rows.placements()
    told = ~held.protected
    kept, _, _ = ties_count(compiled.instance, compiled.policy, held)
    return kept, int((held.km10[told] * held.persons[told]).sum())

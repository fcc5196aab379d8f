"""Decisions on their way into the history: held against what stands, and recorded all together or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from matcher.asked import Asked
from matcher.errors import Fault, InputError
from matcher.history.records import Decision, Proposal, reasons_of
from matcher.history.standing import Fold, Stand
from matcher.history.store import History
from matcher.io.cells import shown


@dataclass(frozen=True)
class Recorded:
    """What became of the rows. new: recorded now, with their numbers. repeated: rows that stood there already, with the number each
    has. refused: rows that do not fit what stands (only where these may be passed over)."""

    new: tuple[Decision, ...]
    repeated: tuple[tuple[Asked, int], ...]
    refused: tuple[Fault, ...]


def record(
    history: History,
    rows: Iterable[Asked],
    *,
    today: dt.date,
    source: str = "command",
    pass_over: bool = False,
    delivered: Mapping[str, Collection[str]] | None = None,
) -> Recorded:
    """Hold decisions against what stands, one after the other, and record them, all or none.

    today: `decided_at` of rows that have none. source: `command`, or the file they came from. pass_over: record the others where
    some do not fit (in a delivery: what a row speaks of may have changed since it was written) and name those in `refused`.
    delivered: ids of kind `household` and `accommodation` that are known besides those of earlier runs.
    Raises InputError with every row that does not fit.
    """
    desk = _Desk(history, delivered or {})
    rows = tuple(desk.meant(row) if source == "command" else row for row in rows)
    known = history.keys_of(row.key for row in rows)
    new: list[Decision] = []
    repeated: list[tuple[Asked, int]] = []
    faults: list[Fault] = []
    seen: set[str] = set()
    for row in rows:
        if row.key in known or row.key in seen:
            repeated.append((row, known.get(row.key, 0)))
            continue
        try:
            decision = desk.judge(row, today, source)
        except _Unfit as error:
            faults.append(Fault("decide" if source == "command" else source, row.line, error.column, error.code, str(error)))
            continue
        seen.add(row.key)
        desk.take(decision)
        new.append(decision)
    if faults and not pass_over:
        raise InputError(faults)
    numbers = history.add_decisions(new)
    done = tuple(replace(decision, number=number) for decision, number in zip(new, numbers, strict=True))
    return Recorded(done, tuple(repeated), tuple(sorted(faults)))


class _Unfit(Exception):
    """A decision that does not fit what stands."""

    def __init__(self, column: str, code: str, message: str) -> None:
        self.column, self.code = column, code
        super().__init__(message)


class _Desk:
    """What stands, as decisions come in. Messages never name an accommodation: the household may be protected."""

    def __init__(self, history: History, delivered: Mapping[str, Collection[str]]) -> None:
        self.history, self.delivered = history, delivered
        last = history.last_published()
        self.date = dt.date.min if last is None else last.date
        self.known = 0 if last is None else last.decisions_upto
        self.published: dict[str, Proposal] = {} if last is None else {p.household_id: p for p in history.proposals(last)}
        self.fold = Fold(self.date, self.known)
        for decision in history.decisions():
            self.fold.take(decision)

    def take(self, decision: Decision) -> None:
        self.fold.take(decision)

    def stand(self, household_id: str) -> Stand:
        """Where it stands: by decisions, else as it was published (a proposal that nothing speaks against, or a delivered fact)."""
        one = Fold(self.date, self.known)
        own = self.fold.stands.get(household_id)
        if own is not None:
            one.stands[household_id] = own
        one.withdrawn = self.fold.withdrawn
        published = self.published.get(household_id)
        if published is not None and published.status == "proposed":
            one.propose(published, None)
        elif published is not None:
            now = one.stands.get(household_id) or Stand(household_id)
            a = published.accommodation_id
            if now.state == "waiting" and a not in now.ended:
                state: Any = published.status
                return Stand(household_id, state, a, published.rooms, published.since, ruled_out=now.ruled_out, ended=now.ended)
        return one.stands.get(household_id) or Stand(household_id)

    def meant(self, row: Asked) -> Asked:
        """A decision that is said now, with the accommodation that it means now. In a file it may have been written long ago: there
        the words alone tell whether it was recorded already."""
        if row.household_id is None or row.accommodation_id is not None or row.action == "park":
            return row
        stand = self.stand(row.household_id)
        offer = stand.lives_in if row.action == "move-out" and stand.lives_in is not None else stand.accommodation_id
        return replace(row, accommodation_id=offer)

    def judge(self, row: Asked, today: dt.date, source: str) -> Decision:
        """The decision with everything filled in. Raises _Unfit."""
        offer = row.accommodation_id
        rooms: tuple[int, ...] = ()
        if row.household_id is not None:
            self._known("household", row.household_id)
            stand = self.stand(row.household_id)
            offer, rooms = self._resolved(row, stand)
        if offer is not None and row.accommodation_id is not None:
            self._known("accommodation", offer)
        return Decision(
            row.action, row.household_id, offer, row.reason, reasons_of(row.action)[row.reason], row.by, row.decided_at or today,
            row.until, rooms, source, key=row.key,
        )  # fmt: skip

    def _known(self, kind: str, one: str) -> None:
        if one in self.delivered.get(kind, ()) or (kind == "household" and one in self.fold.stands):
            return
        if not self.history.knows(kind, one):
            raise _Unfit(f"{kind}_id", f"unknown_{kind}", f"no run so far has had a {kind} {shown(one)}; ids are compared to the letter")

    def _resolved(self, row: Asked, stand: Stand) -> tuple[str | None, tuple[int, ...]]:
        """(accommodation, rooms) that the decision is about."""
        steps = {
            "accept": self._accept, "decline": self._decline, "move-in": self._move_in, "move-out": self._move_out,
            "withdraw": self._withdraw, "park": self._park,
        }  # fmt: skip
        return steps[row.action](row, stand)

    def _accept(self, row: Asked, stand: Stand) -> tuple[str, tuple[int, ...]]:
        published = self.published.get(stand.household_id)
        if stand.state in ("accepted", "moved_in") and row.accommodation_id in (None, stand.accommodation_id):
            raise _Unfit("action", "already", f"{stand.household_id} {_has(stand)} already")
        if published is None or published.status != "proposed" or row.accommodation_id not in (None, published.accommodation_id):
            where = "" if row.accommodation_id is None else " for this accommodation"
            text = f"{stand.household_id} has no proposal{where} in the last run; to place it by hand, pin it in overrides.csv"
            raise _Unfit("accommodation_id", "no_proposal", text)
        if stand.state == "accepted":
            text = f"{stand.household_id} has accepted another proposal; record a decline of that one first"
            raise _Unfit("action", "already", text)
        if self.fold.is_withdrawn(published.accommodation_id):
            raise _Unfit("accommodation_id", "withdrawn", f"the offer proposed to {stand.household_id} has been withdrawn by its host")
        return published.accommodation_id, published.rooms

    def _decline(self, row: Asked, stand: Stand) -> tuple[str, tuple[int, ...]]:
        offer = row.accommodation_id or stand.accommodation_id
        if stand.state == "moved_in" and offer == stand.accommodation_id:
            raise _Unfit("action", "moved_in", f"{stand.household_id} has moved in; record a move-out")
        if offer is None:
            raise _Unfit("accommodation_id", "no_proposal", f"{stand.household_id} has no proposal that could be declined; name the offer")
        return offer, ()

    def _move_in(self, row: Asked, stand: Stand) -> tuple[str, tuple[int, ...]]:
        if stand.state == "moved_in" and row.accommodation_id in (None, stand.accommodation_id):
            raise _Unfit("action", "already", f"{stand.household_id} has moved in already")
        offer = row.accommodation_id or stand.accommodation_id
        if offer is None:
            raise _Unfit("accommodation_id", "no_proposal", f"{stand.household_id} has no proposal; say which accommodation it moved into")
        return offer, stand.rooms if offer == stand.accommodation_id else ()

    def _move_out(self, row: Asked, stand: Stand) -> tuple[str, tuple[int, ...]]:
        home = stand.lives_in or (stand.accommodation_id if stand.state == "moved_in" else None)
        if home is None or row.accommodation_id not in (None, home):
            where = "" if row.accommodation_id is None else " into this accommodation"
            raise _Unfit("action", "not_moved_in", f"{stand.household_id} has not moved in{where}")
        return home, ()

    def _withdraw(self, row: Asked, stand: Stand) -> tuple[str, tuple[int, ...]]:
        offer = row.accommodation_id or stand.accommodation_id
        if offer is None:
            raise _Unfit("accommodation_id", "no_proposal", f"{stand.household_id} has no offer that could be withdrawn; name it")
        return offer, ()

    def _park(self, row: Asked, stand: Stand) -> tuple[None, tuple[int, ...]]:  # noqa: ARG002
        if stand.state in ("accepted", "moved_in"):
            raise _Unfit("action", "already", f"{stand.household_id} {_has(stand)}; it does not wait")
        return None, ()


def _has(stand: Stand) -> str:
    return "has moved in" if stand.state == "moved_in" else "has accepted"

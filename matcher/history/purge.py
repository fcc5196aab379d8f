"""Forgetting: what is older than a day and not needed any more is deleted, and the place where it stood is overwritten."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, or_, select, text, update

from matcher.history import tables as t
from matcher.history.backup import BEFORE_RESTORE
from matcher.history.database import telling
from matcher.history.records import Decision, Run
from matcher.history.standing import Fold, Stand
from matcher.history.store import History

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Purged:
    """What was deleted. households: those of which nothing is left. Runs stay, as numbers without households."""

    households: int
    proposals: int
    decisions: int
    fingerprints: int


def purge(history: History, before: dt.date) -> Purged:
    """Delete what was recorded for days before `before`, and then rewrite the database so that its free pages hold nothing of it.

    A household (or offer) that the last published run still had, if that run is not older itself, keeps what says where it stands
    today: its last proposals, and the decisions that are in force. Of all others nothing stays. Raises HistoryError.
    """
    last = history.last_published()
    decisions = history.decisions()
    with history.writing() as connection:
        purging = _Purge(connection, before, last, decisions)
        with _unguarded(connection):
            done = purging.run()
    _rewrite(history)
    return done


class _Purge:
    """Within one transaction."""

    def __init__(self, connection: Connection, before: dt.date, last: Run | None, decisions: Sequence[Decision]) -> None:
        self.connection, self.before, self.last, self.all = connection, before, last, decisions
        self.current = last if last is not None and last.date >= before else None
        self.active = {kind: self._present(kind) for kind in ("household", "accommodation")}

    def run(self) -> Purged:
        known = self._households()
        old = select(t.runs.c.id).where(t.runs.c.date < self.before)
        proposals = self.connection.execute(delete(t.proposals).where(t.proposals.c.run_id.in_(old))).rowcount
        prints = self.connection.execute(delete(t.fingerprints).where(~self._seen_since())).rowcount
        gone = sorted(self._dropped())
        for low in range(0, len(gone), _AT_ONCE):
            self.connection.execute(delete(t.decisions).where(t.decisions.c.number.in_(gone[low : low + _AT_ONCE])))
        self._forget_in_withdrawals(set(gone))
        # A message may name households; the folder's name and the sums say nothing of them.
        self.connection.execute(update(t.runs).where(t.runs.c.id.in_(old)).values(message=""))
        return Purged(len(known - self._households()), proposals, len(gone), prints)

    def _seen_since(self) -> ColumnElement[bool]:
        """Was a run of that day or later told what a fingerprint says?"""
        held, runs = t.fingerprints.c, t.runs.c
        told = and_(runs.id >= held.first_run, or_(held.next_run.is_(None), runs.id < held.next_run))
        return exists().where(told, runs.outcome == "published", runs.date >= self.before)

    def _present(self, kind: str) -> frozenset[str]:
        """Who is in the caseload now."""
        if self.current is None:
            return frozenset()
        held = t.fingerprints.c
        ids = set(self.connection.execute(select(held.id).where(held.kind == kind, held.next_run.is_(None))).scalars())
        column = t.proposals.c[f"{kind}_id"]
        return frozenset(ids | set(self.connection.execute(select(column).where(t.proposals.c.run_id == self.current.id)).scalars()))

    def _households(self) -> set[str]:
        """All households that the database knows of."""
        out: set[str] = set()
        for column in (t.proposals.c.household_id, t.decisions.c.household_id):
            out |= {one for one in self.connection.execute(select(column).distinct()).scalars() if one is not None}
        held = t.fingerprints.c
        return out | set(self.connection.execute(select(held.id).where(held.kind == "household").distinct()).scalars())

    def _dropped(self) -> Iterator[int]:
        """Numbers of the decisions that go: old ones of households and offers that are gone, and old ones that nothing rests on."""
        of_household: dict[str, list[Decision]] = defaultdict(list)
        withdrawals = [one for one in self.all if one.action == "withdraw"]
        for one in self.all:
            if one.action == "withdraw":
                if one.decided_at < self.before and one.accommodation_id not in self.active["accommodation"]:
                    yield one.number
            elif one.household_id is not None:
                of_household[one.household_id].append(one)
        for household_id, own in of_household.items():
            old = [one for one in own if one.decided_at < self.before]
            if household_id not in self.active["household"]:
                if len(old) == len(own):
                    yield from (one.number for one in own)
                continue
            yield from self._not_needed(household_id, own, old, withdrawals)

    def _not_needed(self, household_id: str, own: list[Decision], old: list[Decision], withdrawals: list[Decision]) -> Iterator[int]:
        """Old decisions without which the household stands where it stands."""
        homes = {one.accommodation_id for one in own}
        rest = sorted([*own, *(one for one in withdrawals if one.accommodation_id in homes)], key=lambda one: one.number)
        stands = self._stand(household_id, rest)
        for one in old:
            without = [other for other in rest if other is not one]
            if self._stand(household_id, without) == stands:
                rest = without
                yield one.number

    def _stand(self, household_id: str, decisions: list[Decision]) -> Stand:
        assert self.current is not None
        fold = Fold(self.current.date)
        for one in decisions:
            fold.take(one)
        return fold.stands.get(household_id) or Stand(household_id)

    def _forget_in_withdrawals(self, gone: set[int]) -> None:
        """A withdrawal that stays because of its offer forgets which household it was recorded for."""
        for one in self.all:
            named = one.action == "withdraw" and one.number not in gone and one.decided_at < self.before and one.household_id is not None
            if named and one.household_id not in self.active["household"]:
                found = update(t.decisions).where(t.decisions.c.number == one.number)
                self.connection.execute(found.values(household_id=None, key=f"purged-{one.number}"))


@contextmanager
def _unguarded(connection: Connection) -> Iterator[None]:
    """Decisions may be deleted here and nowhere else; if the transaction is undone, so is this."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE decisions DISABLE TRIGGER USER"))
        yield
        connection.execute(text("ALTER TABLE decisions ENABLE TRIGGER USER"))
        return
    guards = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'decisions'")).all()
    for name, _ in guards:
        connection.execute(text(f"DROP TRIGGER {name}"))
    yield
    for _, sql in guards:
        connection.execute(text(sql))


def _rewrite(history: History) -> None:
    """Write the whole database anew, so that nothing that was deleted is left in pages that are free; and forget what a restore kept."""
    if history.path is None:
        with telling(history.engine.url), history.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in t.metadata.sorted_tables:
                connection.execute(text(f"VACUUM FULL {table.name}"))
        return
    with telling(history.engine.url), closing(history.engine.raw_connection()) as raw:
        for statement in ("PRAGMA temp_store=MEMORY", "VACUUM"):  # no copy in a temporary file either
            raw.cursor().execute(statement)
    history.path.with_name(history.path.name + BEFORE_RESTORE).unlink(missing_ok=True)

"""The history: runs, proposals and decisions in a database, written in whole transactions and read as plain data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, and_, bindparam, delete, func, insert, or_, select, update

from matcher.history import tables as t
from matcher.history.database import HistoryError, open_engine, path_of, shown, telling, url_of, writing
from matcher.history.records import Decision, FileSum, Outcome, Proposal, Run
from matcher.history.standing import Standings, standings

RUN_FIELDS = tuple(c.name for c in t.runs.columns)
_AT_ONCE = 5000


def open_history(where: str | Path, *, create: bool = False) -> History:
    """Open the history at a path (SQLite) or URL (`sqlite:///…`, `postgresql://…`), brought up to the newest schema.

    create: make it where there is none yet. Raises HistoryError (not there, not readable, written by a newer version) and UsageError
    (not an address).
    """
    url = url_of(where)
    return History(open_engine(url, create=create))


class History:
    """Runs and decisions. Use as a context, or call `close`. Every method that writes does so in one transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.path = path_of(engine.url)

    def __enter__(self) -> History:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __str__(self) -> str:
        return shown(self.engine.url)

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection in one transaction that only reads."""
        with telling(self.engine.url), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in one transaction that writes: committed at the end of the block, undone if it raises."""
        with telling(self.engine.url), writing(self.engine) as connection:
            yield connection

    # --- runs -----------------------------------------------------------------------------------------------------------------

    def start(self, date: dt.date, *, delivery: str = "", now: dt.datetime | None = None) -> Run:
        """Record that a run of this service date has begun (outcome `running`), before it does anything.

        A run that dies leaves that row behind: see `unfinished` and `close_run`.
        """
        values = blank_run(date, now or dt.datetime.now(dt.UTC), delivery)
        with self.writing() as connection:
            number = connection.execute(insert(t.runs).values(**values).returning(t.runs.c.id)).scalar_one()
        return self.run(number)

    @contextmanager
    def publishing(self, run: Run, **values: Any) -> Iterator[Publication]:
        """Finish a run as published. Everything handed to the publication stands in one transaction, which is committed at the
        end of the block: write the rows, rename the folder into its place, leave the block. If the block raises, the run is
        still `running` and nothing of it is recorded.

        values: fields of `Run` to set (`input_sha256`, `files`, `cost` … ); `finished_at` is now unless given. The publication has
        the run's name: the date, or `date.2` where the date has a published run already.
        """
        with self.writing() as connection:
            revision = (
                1
                + connection.execute(
                    select(func.coalesce(func.max(t.runs.c.revision), 0)).where(t.runs.c.date == run.date, t.runs.c.outcome == "published")
                ).scalar_one()
            )
            name = run_name(run.date, revision)
            publication = Publication(connection, run, name, revision)
            yield publication
            publication.finish(outcome="published", revision=revision, name=name, **values)

    def close_run(self, run: Run, outcome: Outcome, message: str, **values: Any) -> None:
        """Finish a run that published nothing: `refused`, `failed` or `crashed`, with one sentence that names no personal data."""
        with self.writing() as connection:
            Publication(connection, run, run.name, run.revision).finish(outcome=outcome, message=message, **values)

    def unfinished(self) -> tuple[Run, ...]:
        """Runs that began and never ended: they are running now, or a crash left them."""
        return self.runs(outcome="running")

    def runs(self, *, outcome: Outcome | None = None, limit: int | None = None) -> tuple[Run, ...]:
        """Recorded runs, the newest first."""
        found = select(t.runs).order_by(t.runs.c.id.desc())
        if outcome is not None:
            found = found.where(t.runs.c.outcome == outcome)
        return self._runs(found if limit is None else found.limit(limit))

    def run(self, which: int | str) -> Run:
        """One run by its number, or a published one by its name (`2026-11-22`, `2026-11-22.2`). Raises HistoryError."""
        named = t.runs.c.id == int(which) if str(which).isdecimal() else and_(t.runs.c.name == which, t.runs.c.outcome == "published")
        found = self._runs(select(t.runs).where(named))
        if not found:
            raise HistoryError(f"the history has no run {which!r}; `matcher runs list` shows what there is")
        return found[0]

    def last_published(self, *, on: dt.date | None = None, date: dt.date | None = None) -> Run | None:
        """The newest published run: in all, of service dates up to `on`, or of just this `date`."""
        found = select(t.runs).where(t.runs.c.outcome == "published").order_by(t.runs.c.date.desc(), t.runs.c.revision.desc()).limit(1)
        if on is not None:
            found = found.where(t.runs.c.date <= on)
        if date is not None:
            found = found.where(t.runs.c.date == date)
        rows = self._runs(found)
        return rows[0] if rows else None

    def proposals(self, run: Run | int) -> tuple[Proposal, ...]:
        """What a run published, by household; protected ones among them, flagged."""
        columns = [c for c in t.proposals.columns if c.name != "run_id"]
        found = select(*columns).where(t.proposals.c.run_id == _number(run)).order_by(t.proposals.c.household_id)
        with self.reading() as connection:
            return tuple(Proposal(**{**row, "protected": bool(row["protected"])}) for row in connection.execute(found).mappings())

    def fingerprints(self, run: Run) -> dict[tuple[str, str], str]:
        """What a published run was told, by (kind, id); empty where nothing was recorded, or it was purged."""
        held = t.fingerprints.c
        found = select(held.kind, held.id, held.parts).where(held.first_run <= run.id)
        found = found.where(or_(held.next_run.is_(None), held.next_run > run.id))
        with self.reading() as connection:
            return {(row.kind, row.id): row.parts for row in connection.execute(found)}

    def _runs(self, found: Select[Any]) -> tuple[Run, ...]:
        with self.reading() as connection:
            rows = connection.execute(found).all()
            files: dict[int, dict[str, FileSum]] = {}
            for low in range(0, len(rows), 500):
                ids = [row.id for row in rows[low : low + 500]]
                for file in connection.execute(select(t.run_files).where(t.run_files.c.run_id.in_(ids)).order_by(t.run_files.c.name)):
                    files.setdefault(file.run_id, {})[file.name] = FileSum(file.size, file.rows, file.sha256)
        return tuple(Run(**{**row._mapping, "files": files.get(row.id, {})}) for row in rows)

    # --- decisions ------------------------------------------------------------------------------------------------------------

    def decisions(self, *, upto: int | None = None, household_id: str | None = None) -> tuple[Decision, ...]:
        """Decisions in the order they were recorded. upto: number of the last one that counts."""
        found = select(t.decisions).order_by(t.decisions.c.number)
        if upto is not None:
            found = found.where(t.decisions.c.number <= upto)
        if household_id is not None:
            found = found.where(t.decisions.c.household_id == household_id)
        with self.reading() as connection:
            return tuple(map(_decision, connection.execute(found)))

    def last_decision(self) -> int:
        """Number of the last decision; 0 where there is none."""
        with self.reading() as connection:
            return int(connection.execute(select(func.coalesce(func.max(t.decisions.c.number), 0))).scalar_one())

    def keys_of(self, keys: Iterable[str]) -> dict[str, int]:
        """The numbers of decisions that stand here already, by key."""
        wanted, found = list(keys), {}
        with self.reading() as connection:
            for low in range(0, len(wanted), 500):
                rows = select(t.decisions.c.key, t.decisions.c.number).where(t.decisions.c.key.in_(wanted[low : low + 500]))
                found.update({row.key: row.number for row in connection.execute(rows)})
        return found

    def knows(self, kind: str, one: str) -> bool:
        """Has any recorded run had this household or accommodation?"""
        found = select(t.fingerprints.c.id).where(t.fingerprints.c.kind == kind, t.fingerprints.c.id == one).limit(1)
        also = select(t.proposals.c.run_id).where(t.proposals.c[f"{kind}_id"] == one).limit(1)
        with self.reading() as connection:
            return connection.execute(found).first() is not None or connection.execute(also).first() is not None

    def add_decisions(self, decisions: Iterable[Decision]) -> tuple[int, ...]:
        """Record decisions, all or none, and return their numbers; one that stands there already (same `key`) is not recorded
        again, and its number is returned. They are not judged here: `matcher.decisions.judge` says whether they make sense."""
        numbers = []
        with self.writing() as connection:
            for one in decisions:
                there = connection.execute(select(t.decisions.c.number).where(t.decisions.c.key == one.key)).scalar()
                if there is None:
                    there = connection.execute(insert(t.decisions).values(**_row(one)).returning(t.decisions.c.number)).scalar_one()
                numbers.append(there)
        return tuple(numbers)

    # --- standings ------------------------------------------------------------------------------------------------------------

    def standings(self, date: dt.date, expire_days: int | None, *, upto: int | None = None, of: Run | None = None) -> Standings:
        """Where everybody stands on a date: decisions over the proposals of the last published run up to that date.

        upto: number of the last decision that counts. of: as that run saw it when it was made (its `based_on` and `decisions_upto`), so
        that a run can be made again.
        """
        if of is None:
            last = self.last_published(on=date)
        else:
            last, upto = None if of.based_on is None else self.run(of.based_on), of.decisions_upto
        proposals = () if last is None else self.proposals(last)
        known = 0 if last is None else last.decisions_upto
        return standings(date, proposals, self.decisions(upto=upto), expire_days, known=known)


class Publication:
    """What a run publishes, within the transaction of `History.publishing`. name: what its folder should be called."""

    def __init__(self, connection: Connection, run: Run, name: str, revision: int) -> None:
        self.run, self.name, self.revision = run, name, revision
        self._connection = connection

    def add_proposals(self, proposals: Iterable[Proposal]) -> None:
        """The run's placements."""
        rows = [
            {**{c: getattr(p, c) for c in Proposal.__dataclass_fields__}, "protected": int(p.protected), "run_id": self.run.id}
            for p in proposals
        ]
        for low in range(0, len(rows), _AT_ONCE):
            self._connection.execute(insert(t.proposals), rows[low : low + _AT_ONCE])

    def add_fingerprints(self, parts: Mapping[tuple[str, str], str]) -> None:
        """What the run was told, by (kind, id), as `matcher.fingerprints` makes it; only what is new or has changed takes room."""
        found = select(t.fingerprints).where(t.fingerprints.c.next_run.is_(None))
        known = {(row.kind, row.id): row.parts for row in self._connection.execute(found)}
        gone = [key for key, value in known.items() if parts.get(key) != value]
        new = [key for key, value in parts.items() if known.get(key) != value]
        ended = (
            update(t.fingerprints)
            .where(and_(*(t.fingerprints.c[name] == bindparam(f"b_{name}") for name in ("kind", "id"))))
            .where(t.fingerprints.c.next_run.is_(None))
            .values(next_run=self.run.id)
        )
        _in_parts(self._connection, ended, [{"b_kind": kind, "b_id": one} for kind, one in gone])
        rows = [{"kind": kind, "id": one, "first_run": self.run.id, "parts": parts[kind, one]} for kind, one in new]
        _in_parts(self._connection, insert(t.fingerprints), rows)

    def finish(self, **values: Any) -> None:
        """Set the run's fields; called by `History.publishing` and `History.close_run`."""
        files: Mapping[str, FileSum] = values.pop("files", {})
        values.setdefault("finished_at", dt.datetime.now(dt.UTC))
        if unknown := values.keys() - set(RUN_FIELDS) - {"id"}:
            raise TypeError(f"a run has no {sorted(unknown)}")
        self._connection.execute(delete(t.run_files).where(t.run_files.c.run_id == self.run.id))
        rows = [{"run_id": self.run.id, "name": n, "size": f.size, "rows": f.rows, "sha256": f.sha256} for n, f in sorted(files.items())]
        _in_parts(self._connection, insert(t.run_files), rows)
        done = self._connection.execute(update(t.runs).where(t.runs.c.id == self.run.id).values(**values))
        assert done.rowcount == 1


def _in_parts(connection: Connection, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    for low in range(0, len(rows), _AT_ONCE):
        connection.execute(statement, list(rows[low : low + _AT_ONCE]))


def run_name(date: dt.date, revision: int) -> str:
    """`2026-11-22`, and `2026-11-22.2` from the second published run of a date on."""
    return date.isoformat() if revision <= 1 else f"{date.isoformat()}.{revision}"


def blank_run(date: dt.date, now: dt.datetime, delivery: str) -> dict[str, Any]:
    """The columns of a run that has just begun."""
    plain: dict[str, Any] = {name: {} for name in ("policy", "options", "versions", "cost_terms", "counts", "timings")}
    texts = dict.fromkeys(("input_sha256", "folder", "folder_sha256", "message"), "")
    return {
        "name": date.isoformat(), "date": date, "revision": 0, "outcome": "running", "started_at": now, "delivery": delivery,
        "decisions_upto": 0, **plain, **texts,
    }  # fmt: skip


def _number(run: Run | int) -> int:
    return run if isinstance(run, int) else run.id


def _decision(row: Row[Any]) -> Decision:
    return Decision(
        action=row.action, household_id=row.household_id, accommodation_id=row.accommodation_id, reason=row.reason, side=row.side,
        by=row.decided_by, decided_at=row.decided_at, until=row.valid_through, rooms=row.rooms, source=row.source,
        number=row.number, recorded_at=row.recorded_at, key=row.key,
    )  # fmt: skip


def _row(one: Decision) -> dict[str, Any]:
    return {
        "action": one.action, "household_id": one.household_id, "accommodation_id": one.accommodation_id, "reason": one.reason,
        "side": one.side, "decided_by": one.by, "decided_at": one.decided_at, "valid_through": one.until, "rooms": one.rooms,
        "source": one.source, "recorded_at": one.recorded_at or dt.datetime.now(dt.UTC), "key": one.key,
    }  # fmt: skip

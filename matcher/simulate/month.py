"""One night after the other: deliver, run, check, decide; and what it came to, night by night."""

from __future__ import annotations

import csv
import datetime as dt
import io
import shutil
import statistics
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from matcher.asked import COLUMNS, Asked
from matcher.decisions import record
from matcher.errors import InternalError, UsageError
from matcher.history import open_history
from matcher.nightly.config import NightlyConfig, read_config
from matcher.nightly.inbox import deliver
from matcher.nightly.log import night_log
from matcher.nightly.night import run_night
from matcher.nightly.replay import replay, was_cut
from matcher.published import read_published
from matcher.result import LEFT_OUT_REASONS
from matcher.simulate.people import Habits, People
from matcher.simulate.world import World

FIRST = dt.date(2026, 11, 22)
CONFIG = """# made by `matcher simulate`
inbox = "inbox"
outbox = "outbox"
[solve]
effort = {effort}
time_limit_s = {limit}
deadline_s = {deadline}
seed = {seed}
remedies = {remedies}
[limits]
households = 0.0
beds = 0.0
"""
OnNight = Callable[["NightTold"], None]


@dataclass(frozen=True, slots=True)
class NightTold:
    """One night in numbers.

    households: in the delivery. proposed, accepted, moved_in: how they stand. waiting: unplaced; left_out: held and the like.
    new, changed, dropped, kept: proposals. decisions: recorded since the night before. placed_share: of the persons who can be
    matched. waited: median days from arrival to the first acceptance, so far. seconds: of the run.
    """

    date: str
    households: int
    proposed: int
    accepted: int
    moved_in: int
    waiting: int
    left_out: int
    new: int
    changed: int
    dropped: int
    kept: int
    decisions: int
    placed_share: float
    waited: float | None
    status: str
    seconds: float


@dataclass(frozen=True)
class Month:
    """All nights. moves: proposals that were changed, per night and household with a proposal. replayed: nights that were made again
    and gave the same bytes; cut: nights that the clock cut, which need not."""

    nights: tuple[NightTold, ...]
    folder: Path
    replayed: int = 0
    cut: int = 0

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        last = self.nights[-1]
        shares = [night.placed_share for night in self.nights]
        summary = {
            "nights": len(self.nights), "households": last.households, "moved_in": last.moved_in, "waited": last.waited,
            "changed": sum(night.changed for night in self.nights), "kept": sum(night.kept for night in self.nights),
            "least_placed_share": min(shares), "last_placed_share": last.placed_share, "replayed": self.replayed, "cut": self.cut,
        }  # fmt: skip
        return {"nights": [asdict(night) for night in self.nights], "summary": summary, "folder": str(self.folder)}


def simulate(
    folder: Path,
    *,
    days: int = 30,
    seed: int = 0,
    households: int = 300,
    beds_per_person: float = 0.9,
    first: dt.date = FIRST,
    effort: float = 0.2,
    time_limit_s: float = 600.0,
    habits: Habits | None = None,
    remedies: bool = False,
    again: bool = False,
    on_night: OnNight | None = None,
) -> Month:
    """Play `days` nights in a new or empty folder, which is then a whole service: inbox, outbox, history, log.

    remedies: let every night look for what would help those without a place, which can take it longer than everything else.
    again: make every night once more from the history, and compare the bytes. Raises UsageError for a folder that is not empty, and
    InternalError as soon as a night does anything against what was decided.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not an empty folder; name a new one")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    config_file = folder / "nightly.toml"
    text = CONFIG.format(effort=effort, limit=time_limit_s, deadline=time_limit_s + 60, seed=seed, remedies=str(remedies).lower())
    config_file.write_text(text, encoding="utf-8")
    config = read_config(config_file)
    world = World(folder / "world", households, days, seed, first, beds_per_person)
    people = People(world, habits or Habits(), seed)
    nights: list[NightTold] = []
    said: list[Asked] = []
    for day in range(days):
        told = _night(config, world, people, day, first + dt.timedelta(day), said)
        nights.append(told)
        if on_night is not None:
            on_night(told)
    replayed, cut = _again(config) if again else (0, 0)
    return Month(tuple(nights), folder, replayed, cut)


def _night(config: NightlyConfig, world: World, people: People, day: int, date: dt.date, said: list[Asked]) -> NightTold:
    """One day and its night. said: what was decided on the day before; afterwards what was decided on this one."""
    source = config.base / "source"
    here = world.write(source, day, frozenset(people.ledger.gone))
    by_file = day % 2 == 1  # every other day decisions come with the delivery, else one by one
    if said and by_file:
        (source / "decisions.csv").write_text(_decisions_csv(said), encoding="utf-8")
    elif said:
        with open_history(config.history_address) as history:
            record(history, said, today=date)
    deliver(source, config.inbox_path, now=dt.datetime.combine(date, dt.time(1), dt.UTC))
    shutil.rmtree(source)
    night = run_night(config, date)
    published = read_published(night.folder)
    changes = Counter(row["change"] for row in _rows(night.folder / "changes.csv"))
    ending = frozenset(row["household_id"] for row in _rows(night.folder / "ending.csv"))
    if faults := people.broken(date, here, published, ending):
        raise InternalError(f"the night of {date.isoformat()} goes against what was decided: {faults[0]} ({len(faults)} faults)")
    decided = len(said)
    said[:] = people.day(day, date, published)
    status = Counter(row.status for row in published.placements)
    out = Counter(row.reason in LEFT_OUT_REASONS for row in published.unplaced)
    persons = sum(row.persons for row in published.placements)
    waiting = sum(row.persons or 0 for row in published.unplaced if row.reason not in LEFT_OUT_REASONS)
    waited = people.ledger.waited
    return NightTold(
        date.isoformat(), len(here), status["proposed"], status["accepted"], status["moved_in"], out[False], out[True], changes["new"],
        changes["changed"], changes["dropped"], changes["kept"], decided, round(persons / max(1, persons + waiting), 4),
        statistics.median(waited) if waited else None, str(published.summary["status"]), round(night.seconds, 1),
    )  # fmt: skip


def _again(config: NightlyConfig) -> tuple[int, int]:
    """(nights made again with the same bytes, nights that the clock had cut)."""
    same = cut = 0
    with open_history(config.history_address) as history, night_log(config.log.file, config.path(config.log.file)) as log:
        for run in reversed(history.runs(outcome="published")):
            if was_cut(config, run):
                cut += 1
                continue
            if different := replay(config, history, run, log):
                raise InternalError(f"the night of {run.name}, made again, differs in {', '.join(different)}")
            same += 1
    return same, cut


def _decisions_csv(said: Iterable[Asked]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([[getattr(one, name) or "" for name in COLUMNS] for one in said])
    return out.getvalue()


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))

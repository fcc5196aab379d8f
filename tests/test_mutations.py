"""The checker rejects what is wrong: plans of solved instances are broken in many ways, and every violation must be named.

Two sorts. *Honest* mutations change the plan and fill in all rows as the checker itself would (every cell and cost right), so that
nothing but the broken constraint can be noticed; whether a plan is broken at all is asked of the oracle, which shares no code with
the checker. *Dishonest* ones change a cell. Then the written files are changed, and `verify` must say so.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from matcher.bounds import prove
from matcher.check import check_plan
from matcher.compile import compile_instance
from matcher.errors import InputError, MatcherError
from matcher.model import Instance
from matcher.policy import Policy
from matcher.result import REASONS, TERMS, Cost, PlacementRow, Result, UnplacedRow
from matcher.solver import solve
from matcher.verify import verify
from tests.check.build import Plan as Rows
from tests.check.build import codes
from tests.check.build import plan as honest_rows
from tests.oracle.brute import Plan, Reading, Stay, minimal_sets
from tests.oracle.tiny import tiny_case
from tests.runs import (
    DATE,
    INSTANCES,
    files_of,
    generated,
    instance_of,
    policy_of,
    published,
    rows_of,
    scratch,
    solved,
    table_of,
    write_table,
)

FOLDERS = [INSTANCES / "chasiv-yar", INSTANCES / "hard-night", INSTANCES / "hard-night-faulty"]
GENERATED = [(60, 1, 0.8, 0.6), (60, 2, 1.2, 0.3), (60, 3, 0.5, 0.9)]
TINY = 45
RULES = (
    "status", "vetted", "size", "rent", "risk", "needs", "pets", "language", "kind", "groups", "area", "dates", "distance", "rooms",
    "override", "tie",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A solved instance with its oracle. plan: household → (offer, the party's rooms) or None."""

    name: str
    instance: Instance
    policy: Policy
    result: Result
    date: dt.date
    reading: Reading
    plan: Mapping[str, Stay | None]

    def faults(self, rows: Rows) -> list[str]:
        return check_plan(self.instance, self.policy, self.date, *rows)

    def honest(self, plan: Plan) -> Rows:
        """Rows that are right in every cell for this plan, good or bad."""
        where = {h: stay[0] for h, stay in plan.items() if stay is not None}
        rooms = {party.ids[0]: stay[1] for party in self.reading.parties if (stay := plan.get(party.ids[0])) is not None}
        return honest_rows(self.instance, self.policy, where, rooms)


@dataclass(frozen=True)
class _Question:
    """What the oracle reads."""

    instance: Instance
    policy: Policy
    date: dt.date


def make_case(name: str, instance: Instance, policy: Policy, result: Result) -> Case:
    reading = Reading(_Question(instance, policy, DATE))
    reading.stays = cache(reading.stays)  # type: ignore[method-assign]  # asked again for every mutation
    rows = {row.household_id: row for row in result.placements}
    plan: dict[str, Stay | None] = dict.fromkeys(reading.households)
    for party in [*reading.parties, *reading.fixed_parties]:
        if party.ids[0] in rows:
            plan.update({h: (rows[h].accommodation_id, rows[party.ids[0]].rooms) for h in party.ids})
    return Case(name, instance, policy, result, DATE, reading, plan)


@cache
def cases() -> tuple[Case, ...]:
    """Solved instances of every sort."""
    folders = [*FOLDERS, *(generated(*arguments) for arguments in GENERATED)]
    found = [make_case(f.name, instance_of(f), policy_of(f), solved(f)) for f in folders]
    for seed in range(TINY):
        tiny = tiny_case(seed, households=5, standing=True, parties=seed % 2 == 0, links=True, rooms=True, overrides=True)
        try:
            found.append(make_case(f"tiny {seed}", tiny.instance, tiny.policy, solve(tiny.instance, tiny.policy, date=tiny.date)))
        except MatcherError as error:
            pytest.fail(f"{error}\n{tiny}")
    return tuple(found)


def large() -> list[Case]:
    return [case for case in cases() if not case.name.startswith("tiny")]


def rows_of_result(case: Case) -> Rows:
    return list(case.result.placements), list(case.result.unplaced), {t: case.result.cost[t] for t in TERMS if case.result.cost[t]}


# --- the plan changes, and every row says so -----------------------------------------------------------------------------------------

Change = tuple[str, dict[str, Stay | None], set[str]]  # kind, new plan, codes of which one at least must be named (empty: any)


def rooms_at(case: Case, ids: tuple[str, ...], offer: str) -> list[tuple[int, ...]]:
    party = next(p for p in case.reading.parties if p.ids == ids)
    return case.reading.room_sets(party, case.reading.offers[offer]) or [tuple(sorted(case.reading.offers[offer].rooms or ()))]


def moved(case: Case, ids: tuple[str, ...], stay: Stay | None) -> dict[str, Stay | None]:
    return {**case.plan, **dict.fromkeys(ids, stay)}


def broken_by(case: Case, ids: tuple[str, ...], offer: str) -> set[str]:
    """Rules that keep the party out, by the oracle; `size` and `rooms` not among them."""
    return {code for h in ids for code in case.reading.rule_faults(h, offer)}


def to_forbidden_offers(case: Case, rng: random.Random) -> Iterator[Change]:
    """One rule broken at a time where there is such a pair: to an offer of the wrong kind, with steps, too dear …"""
    done: Counter[str] = Counter()
    pairs = [(p, a) for p in case.reading.parties for a in case.reading.offers]
    rng.shuffle(pairs)
    for party, a in pairs[:1500]:
        broken = broken_by(case, party.ids, a)
        if len(broken) == 1 and done[min(broken)] < 3:
            code = min(broken)
            done[code] += 1
            stay = (a, rooms_at(case, party.ids, a)[0])
            yield f"rule {code}", moved(case, party.ids, stay), {code} if code != "override" else {"override", "pin"}


def to_full_offers(case: Case, rng: random.Random) -> Iterator[Change]:
    """Allowed by every rule, but no bed is left there."""
    done = 0
    pairs = [(p, stay) for p in case.reading.parties for stay in case.reading.stays(p) if stay != case.plan[p.ids[0]]]
    rng.shuffle(pairs)
    for party, stay in pairs:
        plan = moved(case, party.ids, stay)
        there = [(q, s[1]) for q in case.reading.parties for s in [plan[q.ids[0]]] if s is not None and s[0] == stay[0]]
        full = case.reading.overfull(stay[0], there)
        if not full or done >= 25:
            continue
        done += 1
        resource = full[0].split(" on ")[0].split(":")[0]
        code = {"persons": "capacity", "unit": "unit", "rooms": "rooms", "need": "need"}[resource]
        yield f"full {code}", plan, {code}


def rooms_changed(case: Case, rng: random.Random) -> Iterator[Change]:
    """Other rooms: one more, one fewer, one that is not there, too small."""
    for party in case.reading.parties:
        stay = case.plan[party.ids[0]]
        if stay is None:
            continue
        offer = case.reading.offers[stay[0]]
        if not offer.rooms:
            yield "rooms where there are none", moved(case, party.ids, (stay[0], (2,))), {"rooms"}
            continue
        sets = set(case.reading.room_sets(party, offer))
        others = {stay[1][1:], tuple(sorted((*stay[1], max(offer.rooms)))), tuple(sorted((*stay[1], 97))), (1,)} - sets
        for rooms in sorted(others):
            yield "wrong rooms", moved(case, party.ids, (stay[0], rooms)), {"rooms"}


def parties_split(case: Case, rng: random.Random) -> Iterator[Change]:
    for party in case.reading.parties:
        if len(party.ids) < 2:
            continue
        last, stay = party.ids[-1], case.plan[party.ids[0]]
        if stay is not None:
            yield "party split, one unplaced", {**case.plan, last: None}, {"party"}
            for other in rng.sample(sorted(case.reading.offers), min(2, len(case.reading.offers))):
                if other != stay[0]:
                    yield "party split, two offers", {**case.plan, last: (other, ())}, {"party"}


def facts_moved(case: Case, rng: random.Random) -> Iterator[Change]:
    for party in case.reading.fixed_parties:
        for h in party.ids:
            yield "fixed one unplaced", {**case.plan, h: None}, {"fixed"}
            others = sorted(set(case.reading.offers) - {case.reading.fixed[h]})
            for other in rng.sample(others, min(2, len(others))):
                yield "fixed one moved", {**case.plan, h: (other, ())}, {"fixed"}


def decisions_ignored(case: Case, rng: random.Random) -> Iterator[Change]:
    for party in case.reading.parties:
        pinned = [h for h in party.ids if h in case.reading.pinned]
        if not pinned:
            continue
        yield "pinned one unplaced", moved(case, party.ids, None), {"pin"}
        for a in sorted(case.reading.offers):
            if "override" in {c for h in pinned for c in case.reading.rule_faults(h, a)}:
                yield "pinned one elsewhere", moved(case, party.ids, (a, rooms_at(case, party.ids, a)[0])), {"pin", "override"}


def left_out_placed(case: Case, rng: random.Random) -> Iterator[Change]:
    for h in case.reading.left_out:
        for a in rng.sample(sorted(case.reading.offers), min(3, len(case.reading.offers))):
            yield "left out and placed", {**case.plan, h: (a, ())}, {"left_out"}


def links_broken(case: Case, rng: random.Random) -> Iterator[Change]:
    """One of two who are bound is unplaced or put where the tie does not hold."""
    party_of = {h: p for p in case.reading.parties for h in p.ids}
    for tie in case.reading.links:
        g, h = tie.household_id, tie.other_household_id or ""
        if g not in party_of or h not in party_of or party_of[g] == party_of[h]:
            continue
        for ids in (party_of[g].ids, party_of[h].ids):
            plans = [moved(case, ids, stay) for stay in [None, *case.reading.stays(party_of[ids[0]])]]
            torn = [plan for plan in plans if not case.reading.link_allows(tie, plan)]
            for plan in rng.sample(torn, min(4, len(torn))):
                yield f"link {tie.kind}", plan, {"link"}


def stranded_placed(case: Case, rng: random.Random) -> Iterator[Change]:
    for party in case.reading.parties:
        if case.reading.split(party):
            for a in rng.sample(sorted(case.reading.offers), min(3, len(case.reading.offers))):
                yield "bound to one left out", moved(case, party.ids, (a, rooms_at(case, party.ids, a)[0])), {"split_pair"}


HONEST: tuple[Callable[[Case, random.Random], Iterator[Change]], ...] = (
    to_forbidden_offers, to_full_offers, rooms_changed, parties_split, facts_moved, decisions_ignored, left_out_placed, links_broken,
    stranded_placed,
)  # fmt: skip


def test_the_plans_themselves_are_right() -> None:
    for case in cases():
        assert case.faults(rows_of_result(case)) == [], case.name
        assert case.reading.faults(dict(case.plan)) == [], case.name
        assert case.faults(case.honest(dict(case.plan))) == [], case.name
    assert len(cases()) == len(FOLDERS) + len(GENERATED) + TINY


def test_every_broken_plan_is_rejected_for_what_is_broken() -> None:
    rng = random.Random(1)
    count: Counter[str] = Counter()
    missed = []
    for case in cases():
        most = 5 if case in large() else 3
        for source in HONEST:
            done: Counter[str] = Counter()
            for kind, plan, wanted in source(case, rng):
                done[kind] += 1
                if done[kind] > most:
                    continue
                if not case.reading.faults(plan):
                    missed.append(f"{case.name}, {kind}: the oracle finds nothing wrong, so this is no mutation")
                    continue
                found = codes(case.faults(case.honest(plan)))
                count[kind] += 1
                if not found & wanted:
                    missed.append(f"{case.name}, {kind}: {sorted(found)} instead of {sorted(wanted)}")
    assert not missed, "\n".join(missed[:20])
    assert sum(count.values()) >= 700, count
    least = {
        "full capacity": 40, "full unit": 40, "full rooms": 20, "full need": 1, "wrong rooms": 100, "rooms where there are none": 30,
        "party split, one unplaced": 5, "party split, two offers": 6, "fixed one unplaced": 20, "fixed one moved": 30,
        "pinned one unplaced": 6, "pinned one elsewhere": 20, "left out and placed": 10, "link near": 5, "link apart": 3,
        "bound to one left out": 5, **dict.fromkeys((f"rule {code}" for code in RULES if code not in ("size", "rooms")), 3),
    }  # fmt: skip
    assert {kind: count[kind] for kind, number in least.items() if count[kind] < number} == {}, count


def random_plan(case: Case, rng: random.Random) -> dict[str, Stay | None]:
    """Some parties moved to anywhere, with any of the room sets there, or taken out."""
    plan = dict(case.plan)
    for party in rng.sample(case.reading.parties, min(len(case.reading.parties), rng.choice((1, 1, 2, 3)))):
        allowed = case.reading.stays(party)
        if rng.random() < 0.25:
            plan.update(dict.fromkeys(party.ids, None))
        elif allowed and rng.random() < 0.8:
            plan.update(dict.fromkeys(party.ids, rng.choice(allowed)))
        else:
            a = rng.choice(sorted(case.reading.offers))
            sizes = case.reading.offers[a].rooms
            sets = minimal_sets(sizes, party.persons, 1) if sizes else [()]
            plan.update(dict.fromkeys(party.ids, (a, rng.choice(sets or [()]))))
    return plan


def test_checker_and_oracle_agree_on_random_changes() -> None:
    """Whatever is changed, the checker finds a fault exactly where the oracle does: nothing missed, and nothing right rejected."""
    rng = random.Random(2)
    count: Counter[str] = Counter()
    for case in cases():
        for _ in range(60 if case in large() else 16):
            plan = random_plan(case, rng)
            if plan == case.plan or not case.reading.parties:
                continue
            theirs, ours = case.reading.faults(plan), case.faults(case.honest(plan))
            assert bool(theirs) == bool(ours), f"{case.name}\noracle: {theirs}\nchecker: {ours}\n{plan}"
            count["wrong" if theirs else "right"] += 1
    assert count["wrong"] >= 600 and count["right"] >= 150, count


# --- a row says something else -------------------------------------------------------------------------------------------------------


def with_row(rows: Rows, i: int, **fields: Any) -> Rows:
    placed = list(rows[0])
    placed[i] = replace(placed[i], **fields)
    return placed, rows[1], rows[2]


def with_term(rows: Rows, i: int, term: str, delta: int) -> Rows:
    """One term of one row off; the plan's total moves along, so that only the row is wrong."""
    row = rows[0][i]
    terms = {**row.terms.terms, term: row.terms[term] + delta}
    changed = with_row(rows, i, terms=Cost(terms))
    return changed[0], changed[1], {**rows[2], term: rows[2].get(term, 0) + delta}


def dishonest(case: Case, rng: random.Random) -> Iterator[tuple[str, Rows, str]]:
    """(kind, rows, code that must be named)."""
    rows = rows_of_result(case)
    placed, unplaced, terms = rows
    picks = rng.sample(range(len(placed)), min(len(placed), 4))
    for i in picks:
        row = placed[i]
        yield "km", with_row(rows, i, km10=row.km10 + rng.choice((-1, 1, 500))), "km"
        yield "minutes", with_row(rows, i, minutes=Decimal(7) if row.minutes is None else row.minutes + 1), "minutes"
        yield "persons", with_row(rows, i, persons=row.persons + 1), "persons"
        yield "status", with_row(rows, i, status="accepted" if row.status == "proposed" else "proposed"), "row_status"
        yield "site", with_row(rows, i, site_id="elsewhere"), "site_id"
        yield "no place", with_row(rows, i, place=""), "place"
        yield "changed_from", with_row(rows, i, changed_from="" if row.changed_from else row.accommodation_id), "changed_from"
        yield "protection", with_row(rows, i, protected=not row.protected), "protected"
        yield "tie_km", with_row(rows, i, tie_km10=5 if row.tie_km10 is None else row.tie_km10 + 1), "tie_km"
        term = rng.choice(TERMS[:9])
        yield "cost term", with_term(rows, i, term, rng.choice((-1, 1, 1000))), "cost"
        yield "household missing", ([*placed[:i], *placed[i + 1 :]], unplaced, terms), "once"
        yield "household twice", ([*placed, row], unplaced, terms), "once"
        as_unplaced = UnplacedRow(row.household_id, row.persons, 3, "no_capacity", "why")
        yield "placed and unplaced", (placed, [*unplaced, as_unplaced], terms), "once"
        yield "unknown offer", with_row(rows, i, accommodation_id="nowhere"), "unknown"
        yield "unknown household", ([*placed, replace(row, household_id="nobody")], unplaced, terms), "unknown"
    for i, row in enumerate(unplaced[:8]):
        rest = [*unplaced[:i], *unplaced[i + 1 :]]
        yield "unplaced dropped", (placed, rest, terms), "once"
        yield "unplaced twice", (placed, [*unplaced, row], terms), "once"
        yield "persons of unplaced", (placed, [*rest, replace(row, persons=(row.persons or 0) + 1)], terms), "persons"
        if row.priority is not None:
            yield "priority of unplaced", (placed, [*rest, replace(row, priority=row.priority % 5 + 1)], terms), "persons"
        yield "reason unheard of", (placed, [*rest, replace(row, reason="bad_luck")], terms), "reason"
    for term in TERMS:
        yield "cost in all", (placed, unplaced, {**terms, term: terms.get(term, 0) + rng.choice((-1, 1))}), "cost_terms"
    yield "term unheard of", (placed, unplaced, {**terms, "luck": 5}), "cost_terms"


def test_every_false_cell_is_noticed() -> None:
    rng = random.Random(3)
    count: Counter[str] = Counter()
    for case in cases():
        for kind, rows, code in dishonest(case, rng):
            found = codes(case.faults(rows))
            assert code in found, f"{case.name}, {kind}: {found}"
            count[kind] += 1
    assert sum(count.values()) >= 1500, count
    assert len(count) >= 20 and min(count.values()) >= 30, count


def test_a_reason_that_is_not_the_first_that_holds_is_noticed() -> None:
    """Reasons that the checker can tell without a search: left out, no_eligible, tie; and none of these where another holds."""
    count: Counter[str] = Counter()
    for case in cases():
        placed, unplaced, terms = rows_of_result(case)
        told: Counter[str] = Counter()
        for i, row in enumerate(unplaced):
            told[row.reason] += 1
            if told[row.reason] > 4:
                continue
            for other in REASONS:
                if other == row.reason or (row.reason in REASONS[6:] and other in REASONS[6:]) or "tie" in (other, row.reason):
                    continue
                rows = placed, [*unplaced[:i], replace(row, reason=other), *unplaced[i + 1 :]], terms
                assert "reason" in codes(case.faults(rows)), f"{case.name}: {row.household_id} {row.reason} as {other}"
                count[row.reason] += 1
    assert sum(count.values()) >= 300, count
    assert set(count) == set(REASONS) - {"tie"}, count


# --- the written files ---------------------------------------------------------------------------------------------------------------


@cache
def written(name: str) -> tuple[Path, Path]:
    """(instance's folder, a written run)."""
    folder = generated(*GENERATED[0]) if name == "generated" else INSTANCES / name
    out = published(folder, scratch() / f"run-of-{name}")
    verdict = verify(folder, out)
    assert verdict.right, verdict.violations
    return folder, out


@pytest.fixture(params=["hard-night", "generated"])
def run(request: pytest.FixtureRequest) -> tuple[Path, Path]:
    return written(request.param)


def is_refused(folder: Path, out: Path) -> str | None:
    """How verify says that a run is wrong, or None."""
    try:
        verdict = verify(folder, out)
    except InputError:
        return "unreadable"
    return None if verdict.right else "wrong"


@pytest.fixture
def copy(run: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    return run[0], Path(shutil.copytree(run[1], tmp_path / "copy"))


SAMPLED = 2
PLAN_COLUMNS = (
    "household_id", "accommodation_id", "site_id", "persons", "rooms", "status", "km", "minutes", "cost",
    *(f"cost_{term}" for term in TERMS), "tie_km", "changed_from",
)  # fmt: skip


def other_cell(column: str, cell: str, pool: list[str]) -> str:
    if column in ("status",):
        return "moved_in" if cell != "moved_in" else "proposed"
    if column == "rooms":
        return f"{cell} 2".strip()
    if column == "persons":
        return str(int(cell) + 1)
    if column in ("km", "minutes", "tie_km") or column.startswith("cost"):
        return str(Decimal(cell or "0") + 1)
    return next(value for value in [*pool, "Z-9"] if value != cell)


def test_every_cell_of_the_plan_counts(copy: tuple[Path, Path]) -> None:
    """placements.csv as text: another value in any cell that the plan consists of, and verify says wrong."""
    folder, out = copy
    rng = random.Random(5)
    header, rows = table_of(out / "placements.csv")
    text = (out / "placements.csv").read_bytes()
    count: Counter[str] = Counter()
    for c, column in enumerate(header):
        if column not in PLAN_COLUMNS:
            continue
        pool = sorted({row[c] for row in rows})
        for r in rng.sample(range(len(rows)), SAMPLED):
            changed = [list(row) for row in rows]
            changed[r][c] = other_cell(column, rows[r][c], pool)
            write_table(out / "placements.csv", header, changed)
            assert is_refused(folder, out), f"{column} of {rows[r][0]}: {rows[r][c]!r} → {changed[r][c]!r}"
            count[column] += 1
    (out / "placements.csv").write_bytes(text)
    assert is_refused(folder, out) is None
    assert set(count) == set(PLAN_COLUMNS) and sum(count.values()) == SAMPLED * len(PLAN_COLUMNS)


@pytest.mark.parametrize("column", ["place", "ties_kept", "alternative_1", "alternative_1_cost"])
def test_what_a_person_reads_beside_the_plan_is_checked_too(tmp_path: Path, column: str) -> None:
    folder, out = written("chasiv-yar")
    out = Path(shutil.copytree(out, tmp_path / "copy"))
    header, rows = table_of(out / "placements.csv")
    c = header.index(column)
    r = next(r for r, row in enumerate(rows) if row[c])
    rows[r][c] = {"place": "Kyiv", "ties_kept": "77", "alternative_1": rows[r][1], "alternative_1_cost": "-9999.9"}[column]
    write_table(out / "placements.csv", header, rows)
    assert is_refused(folder, out)


def test_rows_moved_between_files_are_noticed(copy: tuple[Path, Path]) -> None:
    folder, out = copy
    header, rows = table_of(out / "placements.csv")
    text = {path.name: path.read_bytes() for path in out.iterdir()}
    for r in (0, len(rows) // 2, len(rows) - 1):
        for mutated in (rows[:r] + rows[r + 1 :], [*rows, rows[r]]):
            write_table(out / "placements.csv", header, mutated)
            assert is_refused(folder, out) == "wrong"
    for name in ("placements.csv", "unplaced.csv"):
        (out / name).write_bytes(b"\n".join(text[name].split(b"\n")[:-2]) + b"\n")
        assert is_refused(folder, out) == "wrong", name
        (out / name).write_bytes(text[name])
        (out / name).unlink()
        assert is_refused(folder, out) == "unreadable", name
        (out / name).write_bytes(text[name])
    assert is_refused(folder, out) is None
    if "placements_protected.csv" in text:
        secret = table_of(out / "placements_protected.csv")[1]
        write_table(out / "placements.csv", header, [*rows, *secret])
        (out / "placements_protected.csv").unlink()
        assert is_refused(folder, out) == "wrong"


def test_unplaced_rows_count(copy: tuple[Path, Path]) -> None:
    folder, out = copy
    header, rows = table_of(out / "unplaced.csv")
    count = 0
    for r in range(min(6, len(rows))):
        for c, value in ((0, "nobody"), (1, "49"), (2, "1" if rows[r][2] != "1" else "2"), (3, "no_reason")):
            changed = [list(row) for row in rows]
            changed[r][c] = value
            write_table(out / "unplaced.csv", header, changed)
            assert is_refused(folder, out) == "wrong", (rows[r], header[c])
            count += 1
    assert count >= 4


def edited(path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    edit(data)
    path.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _set(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """An edit of the value at a dotted path; a function of the old value, or the new one."""

    def edit(data: dict[str, Any]) -> None:
        *way, last = path.split(".")
        for key in way:
            data = data[int(key)] if isinstance(data, list) else data[key]
        old = data[last]
        data[last] = value(old) if callable(value) else value

    return edit


def plus(delta: float) -> Callable[[Any], Any]:
    return lambda old: old + delta


CERTIFICATE = [
    ("bound", plus(1)), ("bound", plus(-1)), ("bound", str), ("bound", None), ("bound", float),
    ("stages.0.bound", plus(1)), ("stages.0.bound", plus(-10)), ("stages.0.value", plus(1)), ("stages.0.value", plus(-1)),
    ("scale", lambda old: old * 1000), ("scale", 0), ("scale", -1), ("stages.0.name", "some"), ("stages.0.multipliers", [1]),
    ("stages", []), ("merged_links", [["nobody", "else"]]), ("merged_links", None), ("stages.0.prices", {"nowhere": {"persons": {"": 1}}}),
    ("stages.0.floor_prices", {"no such group": 1}), ("prices", {"nowhere": {"persons": {"": 1}}}),
]  # fmt: skip
SUMMARY = [
    ("cost", plus(1)), ("cost", plus(-1)), ("cost", None), ("bound", plus(1)), ("bound", plus(-1)), ("gap", plus(1e-4)), ("gap", None),
    ("gap_placed", plus(1e-4)), ("gap_placed", "small"), ("input_sha256", "0" * 64), ("households.placed", plus(1)),
    ("households.unplaced", plus(-1)), ("households.left_out", plus(2)), ("policy.travel.weight", "1.01"), ("policy.order", "strict"),
    ("options.date", "2026-11-21"), *((f"cost_terms.{term}", plus(1)) for term in TERMS), ("cost_terms.travel", plus(-10)),
]  # fmt: skip
SUMMARY_UNCHECKED = [
    ("gap_km_per_person", plus(1.0)), ("status", "fallback"), ("persons.placed", plus(1)), ("persons.unplaced", plus(1)),
    ("by_priority.1.persons.placed", plus(1)), ("km.total", plus(5.0)), ("ties.kept", plus(1)), ("beds.left", plus(1)),
    ("seed", plus(1)), ("households.quarantined", plus(1)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "edits"), [("certificate.json", CERTIFICATE), ("summary.json", SUMMARY)])
def test_every_number_of_certificate_and_summary_counts(copy: tuple[Path, Path], name: str, edits: list[tuple[str, Any]]) -> None:
    folder, out = copy
    text = (out / name).read_bytes()
    for path, value in edits:
        edited(out / name, _set(path, value))
        assert is_refused(folder, out), (name, path, value)
        (out / name).write_bytes(text)
    assert is_refused(folder, out) is None


@pytest.mark.parametrize(("path", "value"), SUMMARY_UNCHECKED, ids=[path for path, _ in SUMMARY_UNCHECKED])
def test_the_other_numbers_of_the_summary_count(tmp_path: Path, path: str, value: Any) -> None:
    folder, out = written("generated")
    out = Path(shutil.copytree(out, tmp_path / "copy"))
    edited(out / "summary.json", _set(path, value))
    assert is_refused(folder, out)


def test_other_prices_prove_what_they_prove_and_nothing_else(copy: tuple[Path, Path]) -> None:
    """Any price changed: verify accepts it exactly where the solver's own formula gives the stated bound with it, too."""
    folder, out = copy
    result = solved(folder)
    assert result.certificate is not None
    compiled = compile_instance(instance_of(folder), policy_of(folder), DATE)
    position = {h: i for i, h in enumerate(compiled.households)}
    party = {h: q for q, members in enumerate(compiled.problem.parties) for h in members}
    forest = [(party[position[g]], party[position[h]]) for g, h in result.certificate.merged_links]
    names = [compiled.resource_name(r) for r in range(len(compiled.problem.resources))]
    stage = result.certificate.stages[0]
    text = (out / "certificate.json").read_bytes()
    rng = random.Random(6)
    count: Counter[bool] = Counter()
    for r in rng.sample(range(len(names)), min(12, len(names))):
        a, resource, night = names[r]
        old = stage.prices.get(a, {}).get(resource, {}).get(night, 0)
        for new in (0, old // 2, old + result.certificate.scale * 1000):
            if new == old:
                continue

            def edit(data: dict[str, Any], a: str = a, resource: str = resource, night: str = night, new: int = new) -> None:
                data["stages"][0]["prices"].setdefault(a, {}).setdefault(resource, {})[night] = new
                data["prices"] = data["stages"][0]["prices"]

            edited(out / "certificate.json", edit)
            prices = prices_of(compiled, names, stage.prices, result.certificate.scale)
            prices.capacity[r] = new
            right = prove(compiled.problem, prices, forest).rounded(result.certificate.scale) == result.bound
            assert (is_refused(folder, out) is None) is right, (names[r], old, new)
            count[right] += 1
            (out / "certificate.json").write_bytes(text)
    assert count[False] >= 5, count


def prices_of(compiled: Any, names: list[tuple[str, str, str]], stated: Mapping[str, Any], scale: int) -> Any:
    """The stage's prices as the solver's side holds them."""
    import numpy as np

    from matcher.bounds import Prices

    values = np.array([stated.get(a, {}).get(resource, {}).get(night, 0) for a, resource, night in names], dtype=np.int64)
    return Prices(scale, 0, values, np.zeros(len(compiled.problem.floors), dtype=np.int64), (), ())


def test_another_instance_is_another_instance(run: tuple[Path, Path], tmp_path: Path) -> None:
    """A changed row of any file: the run is not one of this instance any more."""
    folder, out = run
    count = 0
    for path in sorted(folder.glob("*.csv")):
        other = Path(shutil.copytree(folder, tmp_path / f"other-{path.stem}"))
        header, rows = table_of(path)
        if len(rows) < 2:
            continue
        write_table(other / path.name, header, rows[:-1])
        refused = is_refused(other, out)
        assert refused, path.name
        count += 1
    assert count >= 6


def test_what_is_written_says_what_the_result_says(run: tuple[Path, Path]) -> None:
    """The ground under the tests above: files hold all rows, once."""
    folder, out = run
    result = solved(folder)
    names = [row["household_id"] for name in ("placements.csv", "unplaced.csv") for row in rows_of(out / name)]
    if (out / "placements_protected.csv").exists():
        names += [row["household_id"] for row in rows_of(out / "placements_protected.csv")]
    assert sorted(names) == sorted(row.household_id for row in (*result.placements, *result.unplaced))
    protected = {"placements_protected.csv"} if (out / "placements_protected.csv").exists() else set()
    written = {"placements.csv", "unplaced.csv", "quarantined.csv", "summary.json", "certificate.json", "report.html"}
    assert set(files_of(out)) == written | protected
    assert {field.name for field in dataclasses.fields(PlacementRow)} >= {"household_id", "accommodation_id", "terms"}

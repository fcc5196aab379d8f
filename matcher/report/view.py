"""The parts of the page that are written on the server: numbers, what to do, how good the plan is, tables, quality of the data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matcher.i18n import Translator, mark
from matcher.report.cells import SMALL, hidden
from matcher.report.geography import short_oblast
from matcher.report.shares import Row
from matcher.wording.advice import group_name

Data = Mapping[str, Any]
FAR = 0.05  # a gap from which a plan is no plan to act on


ESTIMATED: Mapping[str, str] = {
    "great_circle": mark("journeys are estimated from coordinates"),
    "road": mark("journeys are estimated along the built-in trunk roads"),
    "osrm": mark("journeys are as long as the routing server says"),
}


@dataclass(frozen=True)
class Number:
    """One of the ten numbers. urgent: it asks for something to be done."""

    value: str
    label: str
    note: str = ""
    urgent: bool = False


@dataclass(frozen=True)
class Grid:
    """A table of shares. rows: (name, cells); a cell that is None must not be shown. suppressed: whether there are any. sums: which counts
    of the last row are hidden."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str | None, ...]], ...]
    suppressed: bool
    sums: tuple[bool, ...] = ()


def split_of(counts: Mapping[str, int]) -> tuple[int, int, int]:
    """(placed, unplaced, left out and quarantined)."""
    return counts["placed"], counts["unplaced"], counts["left_out"] + counts["quarantined"]


def numbers(data: Data, t: Translator) -> list[Number]:
    """The night in ten numbers."""
    people, homes, km, ties, beds = data["persons"], data["households"], data["km"], data["ties"], data["beds"]
    placed, without, out = split_of(people)
    urgent = data["by_priority"]["1"]["persons"]["unplaced"]
    estimated = data["estimated_distances"]["placements"]
    told = homes["placed"] - data["placed"]["hidden"]
    guessed = ESTIMATED[data["travel_model"]]
    return [
        Number(t.number(placed), t.say("persons have a place"), t.say("of {all}", all=placed + without + out)),
        Number(
            t.number(without), t.say("persons have no place yet"),
            t.say_n("{n} household", "{n} households", homes["unplaced"]), bool(without),
        ),
        Number(t.number(urgent), t.say("of them are of priority 1, the most urgent"), urgent=bool(urgent)),
        Number(t.number(out), t.say("persons are left out this time"), t.say("not agreed, on hold, or a mistake in the data")),
        Number(t.number(km["median"]), t.say("km or less is the way for half of them")),
        Number(t.number(km["p95"]), t.say("km or less for 95 of 100 persons")),
        Number(f"{t.number(ties['kept'])} / {t.number(ties['all'])}", t.say("family and other ties are kept")),
        Number(
            t.number(beds["left"]), t.say("beds are left in open offers"),
            t.say("of {all}; they need not suit those who have no place", all=beds["offered"]),
        ),
        _best(data, t),
        Number(t.number(estimated), t.say(guessed), t.say("of {all}", all=told)),
    ]  # fmt: skip


def _best(data: Data, t: Translator) -> Number:
    if data["status"] == "optimal":
        return Number(t.say("best"), t.say("there is no better plan by this policy"))
    return Number(
        t.number(data["gap_km_per_person"], 1), t.say("weighted km a person is the most that a better plan could save")
    )  # fmt: skip


def headline(data: Data, t: Translator) -> str:
    """The whole night in two sentences."""
    placed, without, out = split_of(data["persons"])
    parts = [t.say("{placed} of {all} persons have a place.", placed=placed, all=placed + without + out)]
    if without:
        parts.append(t.say_n("{n} person has none yet.", "{n} persons have none yet.", without))
    if out:
        parts.append(t.say_n("{n} person is left out this time.", "{n} persons are left out this time.", out))
    return " ".join(parts)


def unfinished(data: Data, t: Translator) -> str:
    """A warning above all else where a much better plan may exist: what to do says nothing reliable then. Else empty."""
    if data["status"] == "optimal" or data["gap"] < FAR:
        return ""
    return t.say(
        "The search ended before a good plan was found. Before you act on this page, run it again and let it take longer: who has no "
        "place here may get one."
    )


def goodness(data: Data, t: Translator) -> list[str]:
    """How good the plan is, in words."""
    unit = t.say(
        "Everything counts in kilometres per person: the way there, nearness to one's people, wishes, danger. What counts how much stands "
        "in policy.toml, and is the office's to decide."
    )
    if data["status"] == "optimal":
        if data["proved_by"] == "prices":
            first = t.say("By the weights of this policy there is no better plan. That is proved, and anyone can check it.")
        else:
            first = t.say("By the weights of this policy there is no better plan: every other possibility was searched.")
        return [first, unit]
    share = max(data["gap"], 0.0001)
    first = t.say(
        "By the weights of this policy no plan can be better than this one by more than {km} weighted km per person "
        "({share} of the whole).",
        km=t.number(data["gap_km_per_person"], 1), share=t.percent(share, 2),
    )  # fmt: skip
    if data["status"] == "fallback":
        first = t.say("This is a plan made in an emergency, without a full search.") + " " + first
    more = t.say("A longer search (--effort, --time-limit) may find one that is somewhat better, or show that there is none.")
    return [first, unit, more]


def grid(rows: Sequence[tuple[str, Row]], *, sums_below: bool, open_: bool, t: Translator, below: Sequence[bool] | None = None) -> Grid:
    """A table of persons placed, without a place and left out, their share, kilometres and ties, with small cells hidden unless it
    is open. rows: (name, row of `shares`). below: see `hidden`."""
    table = [[*row[1:4], sum(row[1:4])] for _, row in rows]
    ties = [[row[5], row[6] - row[5], row[6]] for _, row in rows]
    if sums_below:
        table.append([sum(row[i] for row in table) for i in range(4)])
    gone = [[False] * len(row) for row in table] if open_ else hidden(table, sums_below=sums_below, below=below)
    ties_gone = [[False] * 3 for _ in ties] if open_ else hidden(ties, sums_below=False)
    lines = []
    for i, (counts, away) in enumerate(zip(table, gone, strict=True)):
        cells = [None if off else t.number(count) for count, off in zip(counts, away, strict=True)]
        free = counts[0] + counts[1]
        cells.append(None if away[0] or away[1] else t.percent(counts[0] / free) if free else "–")
        if i < len(rows):
            name, row = rows[i]
            cells.append("–" if row[4] is None else None if away[0] else t.tenths(row[4], 0))
            cells.append("–" if not row[6] else None if any(ties_gone[i]) else f"{t.number(row[5])} / {t.number(row[6])}")
        else:
            name = t.say("all")
            cells += ["", ""]
        lines.append((name, tuple(cells)))
    heads = (
        t.say("placed"), t.say("unplaced"), t.say("left out"), t.say("all"), t.say("share placed"), t.say("km a person"),
        t.say("ties kept"),
    )  # fmt: skip
    sums = tuple(gone[-1]) if gone else ()
    return Grid(heads, tuple(lines), any(map(any, gone)) or any(map(any, ties_gone)), sums)


def by_priority(data: Data, t: Translator, *, open_: bool = False) -> Grid:
    """Persons by priority. open_: on the full page, whose rows show it of each household anyway."""
    names = {"unknown": t.say("unknown"), "1": t.say("1, most urgent")}
    return grid([(names.get(row[0], row[0]), row) for row in data["shares"]["priority"]], sums_below=True, open_=open_, t=t)


def by_size(data: Data, t: Translator, below: Sequence[bool], *, open_: bool = False) -> Grid:
    """Persons by the size of their household. below: which sums are hidden elsewhere."""
    rows = [(_size(row[0], t), row) for row in data["shares"]["size"]]
    return grid(rows, sums_below=True, open_=open_, t=t, below=_same(data, "size", below))


def _same(data: Data, name: str, below: Sequence[bool]) -> Sequence[bool] | None:
    """The sums of a table are those of priorities unless a quarantined row, of which little is known, is missing in it."""
    sums = [[sum(row[i] for row in data["shares"][key]) for i in (1, 2, 3)] for key in ("priority", name)]
    return below if sums[0] == sums[1] else None


def _size(key: str, t: Translator) -> str:
    return t.say("{n} persons and more", n=int(key[:-1])) if key.endswith("+") else t.say_n("{n} person", "{n} persons", int(key))


def by_group(data: Data, t: Translator) -> Grid:
    """Persons of households by their groups, which may overlap."""
    return grid(
        [(group_name(row[0], t), row) for row in data["shares"]["group"]],
        sums_below=False,
        open_=False,
        t=t,
    )


def by_origin(data: Data, t: Translator, below: Sequence[bool]) -> Grid:
    """Persons by the oblast that they come from. below: which sums are hidden elsewhere."""
    name = {code: short_oblast(both[t.lang == "uk"]) for code, both in data["oblasts"].items()}
    rows = sorted(data["shares"]["origin"], key=lambda row: (-sum(row[1:4]), row[0]))
    return grid(
        [(name.get(row[0], t.say("unknown")), row) for row in rows], sums_below=True, open_=False, t=t, below=_same(data, "origin", below)
    )


def beds(data: Data, t: Translator) -> list[tuple[str, str, str, str]]:
    """(oblast, persons who go there, beds left, beds offered), most beds left first."""
    name = {code: short_oblast(both[t.lang == "uk"]) for code, both in data["oblasts"].items()}
    rows = sorted(data["beds_by_oblast"], key=lambda row: (-row[3], row[0] or ""))
    return [(name.get(code, t.say("unknown")), t.number(taken), t.number(left), t.number(offered)) for code, offered, taken, left in rows]


def beds_again(data: Data) -> bool:
    """Do more persons go anywhere than the beds that are not left there?"""
    return any(taken + left > offered for _, offered, taken, left in data["beds_by_oblast"])


HIDDEN = "·"


def public_numbers(data: Data, t: Translator) -> list[Number]:
    """The ten numbers as far as the public may know them: none that speaks of fewer than five."""
    full, all_ = numbers(data, t), by_priority(data, t)
    placed, without, out = all_.rows[-1][1][:3] if all_.rows else ("0",) * 3
    urgent = next((cells[1] for (name, cells) in all_.rows[:1] if name == t.say("1, most urgent")), "0")
    ties, guessed = data["ties"], data["estimated_distances"]["placements"]
    homes = data["households"]["placed"]
    shown = dict(enumerate((placed, without, urgent, out)))
    if _few(ties["kept"], ties["all"] - ties["kept"]):
        shown[6] = None
    if _few(guessed, homes - guessed):
        shown[9] = None
    if _few(homes):
        shown |= {4: None, 5: None}
    return [Number(shown.get(i, one.value) or HIDDEN, one.label) for i, one in enumerate(full)]


def _few(*counts: int) -> bool:
    return any(0 < count < SMALL for count in counts)


def public_headline(data: Data, t: Translator) -> str:
    """How many have a place, where that may be told."""
    grid_ = by_priority(data, t)
    cells = grid_.rows[-1][1] if grid_.rows else (None,) * 5
    if cells[0] is None or cells[3] is None:
        return t.say("Who goes where")
    return t.say("{placed} of {all} persons have a place.", placed=cells[0], all=cells[3])


def goals(data: Data, t: Translator) -> Grid:
    """Persons by the oblast they go to, for the public."""
    rows = [(name, count) for name, count in _goals(data, t) if count]
    untold = data["persons"]["placed"] - sum(count for _, count in rows)
    rows += [(t.say("not told"), untold)] if untold else []
    table = [[count] for _, count in rows] + [[sum(count for _, count in rows)]]
    gone = hidden([[0, *row] for row in table], sums_below=True) if rows else []
    names = [name for name, _ in rows] + [t.say("all")]
    lines = [(name, (None if off[1] else t.number(row[0]),)) for name, row, off in zip(names, table, gone, strict=False)]
    return Grid((t.say("persons go there"),), tuple(lines), any(map(any, gone)))


def _goals(data: Data, t: Translator) -> list[tuple[str, int]]:
    name = {code: short_oblast(both[t.lang == "uk"]) for code, both in data["oblasts"].items()}
    rows = sorted(data["beds_by_oblast"], key=lambda row: (-row[2], row[0] or ""))
    return [(name.get(row[0], t.say("unknown")), row[2]) for row in rows]


CHANGES: Mapping[str, str] = {"new": mark("new"), "changed": mark("changed"), "dropped": mark("dropped")}


def changes(data: Data, t: Translator) -> list[tuple[str, str, str, str, str]]:
    """(household, change, from, to, why) since the night before."""
    return [
        (i, t.say(CHANGES.get(change, change)), _offer(data, before, t), _offer(data, after, t), why)
        for i, change, before, after, why in data["changes"]
    ]


def ending(data: Data, t: Translator) -> list[tuple[str, str, str, str]]:
    """(household, offer, day it ends, where it goes then)."""
    return [
        (i, _offer(data, offer, t), t.say("withdrawn") if until is None else t.date(dt.date.fromisoformat(until)), _offer(data, after, t))
        for i, offer, until, after in data["ending"]
    ]


def _offer(data: Data, number: int | str | None, t: Translator) -> str:
    if number is None or isinstance(number, str):
        return number or ""
    offer = data["offers"][number]
    return t.say("{offer} in {place}", offer=offer[0], place=data["places"][offer[1]][t.lang == "uk"])

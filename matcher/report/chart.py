"""The map as shapes and lines in the units of its drawing: what the template draws."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matcher.i18n import Translator
from matcher.report.cells import SMALL
from matcher.report.geography import oblast_names, short_oblast, ukraine

Data = Mapping[str, Any]
SHADES = 5
WIDEST = 9.0
NEAREST = 2.0  # units; a shorter way is a point
MOST_FLOWS = 150
MOST_LABELS = 9
APART = 46.0  # units between two names


@dataclass(frozen=True)
class Area:
    """An oblast: its shape, how dark it is (0 to 4, beds left), what it says."""

    code: str
    path: str
    shade: int
    title: str


@dataclass(frozen=True)
class Flow:
    """A journey of several households from one place to an oblast (or, on a plain map, to a place), drawn as an arc."""

    path: str
    width: float
    title: str


@dataclass(frozen=True)
class Dot:
    """A place with a name beside it."""

    x: float
    y: float
    r: float
    name: str
    start: bool


@dataclass(frozen=True)
class Chart:
    """The whole map. lines: of latitude and longitude, as (path, label, x, y) on a plain one. left_out: flows that are not drawn."""

    width: int
    height: int
    areas: tuple[Area, ...]
    lines: tuple[tuple[str, str, float, float], ...]
    flows: tuple[Flow, ...]
    ties: tuple[str, ...]
    dots: tuple[Dot, ...]
    left_out: int


def chart(data: Data, t: Translator) -> Chart:
    """The map of a page's data."""
    which = int(t.lang == "uk")
    plain = data["map"]["kind"] == "plain"
    sheet = data["map"] if plain else ukraine()
    flows, dots, left_out = _flows(data, t, which, plain)
    return Chart(
        width=sheet["width"],
        height=sheet["height"],
        areas=() if plain else tuple(_areas(data, t, which)),
        lines=tuple(_grid(sheet)) if plain else (),
        flows=flows,
        ties=tuple(_ties(data)),
        dots=dots,
        left_out=left_out,
    )


def _areas(data: Data, t: Translator, which: int) -> list[Area]:
    left = {code: (free, taken) for code, _, taken, free in data["beds_by_oblast"]}
    most = max((free for free, _ in left.values()), default=0)
    out = []
    for code, path in ukraine()["oblasts"].items():
        if code not in left:
            out.append(Area(code, path, 0, ""))
            continue
        free, taken = left[code]
        shade = 0 if not free else 1 + min(SHADES - 2, math.floor((SHADES - 1) * math.sqrt(free / most) - 1e-9))
        beds = t.say_n("{n} bed left", "{n} beds left", free)
        people = t.say_n("{n} person goes there", "{n} persons go there", taken)
        out.append(Area(code, path, shade, f"{data['oblasts'][code][which]}: {people}, {beds}"))
    return out


def public_chart(data: Data, t: Translator) -> Chart:
    """The oblasts alone, shaded by the persons who go there, in steps that tell of nobody. Without shapes on a plain map."""
    if data["map"]["kind"] == "plain":
        return Chart(0, 0, (), (), (), (), (), 0)
    taken = {row[0]: row[2] for row in data["beds_by_oblast"]}
    most = max(taken.values(), default=0)
    shades = {code: 0 if n < SMALL else 1 + min(SHADES - 2, (SHADES - 1) * n // (most + 1)) for code, n in taken.items()}
    which = int(t.lang == "uk")
    areas = [Area(code, path, shades.get(code, 0), oblast_names(code)[which]) for code, path in ukraine()["oblasts"].items()]
    return Chart(ukraine()["width"], ukraine()["height"], tuple(areas), (), (), (), (), 0)


def _flows(data: Data, t: Translator, which: int, plain: bool) -> tuple[tuple[Flow, ...], tuple[Dot, ...], int]:
    joint, goals = _joined(data, plain)
    places = data["places"]
    order = sorted(joint, key=lambda key: (-joint[key][0], places[key[0]][0], str(key[1])))
    most = max((persons for persons, _ in joint.values()), default=1)
    flows = []
    for key in order[:MOST_FLOWS]:
        (persons, homes), here, goal = joint[key], places[key[0]], goals[key[1]]
        name = data["oblasts"][key[1]][which] if isinstance(key[1], str) else places[key[1]][which]
        people, groups = t.say_n("{n} person", "{n} persons", persons), t.say_n("{n} household", "{n} households", homes)
        title = t.say("{start} → {end}: {persons}, {households}", start=here[which], end=name, persons=people, households=groups)
        width = round(1.2 + WIDEST * math.sqrt(persons / most), 1)
        if math.hypot(here[3] - goal.x, here[4] - goal.y) > NEAREST:
            flows.append(Flow(_arc(here[3], here[4], goal.x, goal.y), width, title))
    starts: dict[int, int] = {}
    for (start, _), (persons, _) in joint.items():
        starts[start] = starts.get(start, 0) + persons
    top = max(starts.values(), default=1)
    ranked = sorted(starts.items(), key=lambda one: (-one[1], one[0]))
    dots = [Dot(places[i][3], places[i][4], round(4 + 7 * math.sqrt(n / top), 1), places[i][which], True) for i, n in ranked]
    for code, goal in sorted(goals.items(), key=lambda one: (-one[1].persons, str(one[0]))):
        name = short_oblast(data["oblasts"][code][which]) if isinstance(code, str) else places[code][which]
        dots.append(Dot(round(goal.x, 1), round(goal.y, 1), 3.4, name, False))
    return tuple(flows), _labelled(dots), len(order) - len(order[:MOST_FLOWS])


@dataclass(frozen=True)
class _Goal:
    """Where the journeys to an oblast end on the map: the middle of those who go there."""

    x: float
    y: float
    persons: int


def _joined(data: Data, plain: bool) -> tuple[dict[tuple[int, Any], tuple[int, int]], dict[Any, _Goal]]:
    """((place now, oblast or place there) → (persons, households), and where each goal lies)."""
    places = data["places"]
    joint: dict[tuple[int, Any], tuple[int, int]] = {}
    goals: dict[Any, _Goal] = {}
    for here, there, persons, homes in data["flows"]:
        goal = there if plain or places[there][2] is None else places[there][2]
        before = joint.get((here, goal), (0, 0))
        joint[here, goal] = before[0] + persons, before[1] + homes
        old = goals.get(goal, _Goal(0.0, 0.0, 0))
        people = old.persons + persons
        x, y = ((was * old.persons + places[there][i] * persons) / people for was, i in ((old.x, 3), (old.y, 4)))
        goals[goal] = _Goal(x, y, people)
    return joint, goals


def _labelled(dots: list[Dot]) -> tuple[Dot, ...]:
    """Names only where they do not cover one another: starts first, the largest first."""
    shown: list[Dot] = []
    out = []
    for dot in dots:
        free = all(abs(dot.y - other.y) > APART / 2 or abs(dot.x - other.x) > APART * 2.6 for other in shown)
        limit = MOST_LABELS if dot.start else 2 * MOST_LABELS
        if free and len(shown) < limit:
            shown.append(dot)
            out.append(dot)
        else:
            out.append(Dot(dot.x, dot.y, dot.r, "", dot.start))
    return tuple(out)


def _arc(x: float, y: float, u: float, v: float) -> str:
    """A bow from one point to another, bent to the left of the way."""
    middle, across = ((x + u) / 2, (y + v) / 2), (v - y, x - u)
    bend = 0.16
    return f"M{x:.1f} {y:.1f}Q{middle[0] + bend * across[0]:.1f} {middle[1] + bend * across[1]:.1f} {u:.1f} {v:.1f}"


def _ties(data: Data) -> list[str]:
    places = data["places"]
    pairs = sorted({(a, b) for a, b in data["tie_lines"]})
    return [f"M{places[a][3]} {places[a][4]}L{places[b][3]} {places[b][4]}" for a, b in pairs]


def _grid(sheet: Mapping[str, Any]) -> list[tuple[str, str, float, float]]:
    look, out = sheet["projection"], []
    for lon in sheet["lon"]:
        x = round((lon - look["west"]) * look["x"], 1)
        out.append((f"M{x} 0V{sheet['height']}", f"{abs(lon):g}° {'E' if lon >= 0 else 'W'}", x + 4, sheet["height"] - 8))
    for lat in sheet["lat"]:
        y = round((look["north"] - lat) * look["y"], 1)
        out.append((f"M0 {y}H{sheet['width']}", f"{abs(lat):g}° {'N' if lat >= 0 else 'S'}", 6, y - 5))
    return out

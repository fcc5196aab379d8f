"""From data to one self-contained HTML file, and back to the data."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from matcher.errors import Fault, InputError
from matcher.i18n import Translator, translator
from matcher.report import todo, view
from matcher.report.chart import chart, public_chart
from matcher.report.data import FORMAT
from matcher.report.words import REASONS, STATUS, script, script_words
from matcher.result import LEFT_OUT_REASONS

_DATA = re.compile(r'<script type="application/json" id="run">(.*?)</script>', re.DOTALL)


def page(data: Mapping[str, Any], lang: str = "en") -> str:
    """The page of a run's data as HTML, in a language. Raises UsageError for a language that there are no words in."""
    t = translator(lang)
    return _written(
        "page.html", data, t,
        script=Markup(script()),  # noqa: S704  (our own file, as it was shipped)
        script_hash=_hash(script()),
        run=_json(data),
        words=_json(script_words()),
        headline=view.headline(data, t),
        numbers=view.numbers(data, t),
        unfinished=view.unfinished(data, t),
        tasks=todo.tasks(data, t),
        chart=chart(data, t),
        beds=view.beds(data, t),
        beds_again=view.beds_again(data),
        changes=view.changes(data, t),
        help=todo.help_(data, t),
        hunt=todo.hunt(data, t),
        promises=todo.promises(data, t),
        envy=todo.envy(data, t),
        ending=view.ending(data, t),
        filters=_filters(data, t),
    )  # fmt: skip


def public_page(data: Mapping[str, Any], lang: str = "en") -> str:
    """The page with totals only: no household, no offer, no place, no number that speaks of fewer than five people."""
    t = translator(lang)
    return _written(
        "public.html", data, t,
        script_hash="",
        headline=view.public_headline(data, t),
        numbers=view.public_numbers(data, t),
        chart=public_chart(data, t),
        goals=view.goals(data, t),
    )  # fmt: skip


def _written(template: str, data: Mapping[str, Any], t: Translator, **parts: Any) -> str:
    full = template != "public.html"
    priorities = view.by_priority(data, t, open_=full)
    return _environment().get_template(template).render(
        t=t,
        _=t.say,
        n_=t.say_n,
        lang=t.lang,
        data=data,
        public=not full,
        style=Markup(_style()),  # noqa: S704
        day=t.date(dt.date.fromisoformat(data["date"])),
        goodness=view.goodness(data, t),
        by_priority=priorities,
        by_size=view.by_size(data, t, priorities.sums, open_=full),
        by_group=view.by_group(data, t),
        by_origin=view.by_origin(data, t, priorities.sums),
        **parts,
    )  # fmt: skip


def data_of_page(html: str, name: str = "report.html") -> dict[str, Any]:
    """The data that a page was made from. Raises InputError where it holds none (a public page, or another file)."""
    found = _DATA.search(html)
    if found is None:
        raise InputError([Fault(name, 0, "", "file_unreadable", "holds no data of a run (a public page has none); name the instance")])
    try:
        data = json.loads(found[1])
        if data["format"] != FORMAT:
            raise ValueError("format")
    except (ValueError, KeyError, TypeError):
        raise InputError([Fault(name, 0, "", "file_unreadable", "was not written by this version; name the instance")]) from None
    return dict(data)


@cache
def _environment() -> Environment:
    loader = PackageLoader("matcher.report", "templates")
    return Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)


def _json(data: Any) -> Markup:
    """JSON that is safe inside a <script>: no character there can end it, or begin markup."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)  # noqa: S704


def _hash(text: str) -> str:
    """How a content security policy names one script."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _style() -> str:
    return (files("matcher.report") / "templates" / "style.css").read_text(encoding="utf-8")


def _filters(data: Mapping[str, Any], t: Translator) -> dict[str, list[tuple[str, str]]]:
    """(value, words) of the choices above the tables."""
    which = int(t.lang == "uk")
    fields = data["placed"]["fields"]
    offers, states = ({row[fields.index(name)] for row in data["placed"]["rows"]} for name in ("offer", "status"))
    goals = {data["places"][data["offers"][i][1]][2] for i in offers}
    reasons = {row[data["unplaced"]["fields"].index("reason")] for row in data["unplaced"]["rows"]}
    order = sorted(reasons, key=lambda code: (code in LEFT_OUT_REASONS, list(REASONS).index(code)))
    return {
        "oblast": sorted(((code, data["oblasts"][code][which]) for code in goals if code is not None), key=lambda one: one[1]),
        "status": [(code, t.say(word)) for code, word in STATUS.items() if code in states],
        "reason": [(code, t.say(REASONS[code])) for code in order],
    }

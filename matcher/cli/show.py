"""The summary that a coordinator reads in ten seconds."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from matcher.i18n import Translator, mark, mark_n, translator
from matcher.placed import Placements
from matcher.result import LEFT_OUT_REASONS, Result

NARROW = 12  # of the words at the left, where they fit
ESTIMATED = {
    "great_circle": mark("estimated from coordinates for {estimated} of {all} households"),
    "road": mark("estimated along the built-in trunk roads for {estimated} of {all} households"),
    "osrm": mark("as the routing server says for {estimated} of {all} households"),
}
REASON_WORDS = {
    "no_consent": mark_n("{n} household has not consented", "{n} households have not consented"),
    "quarantined": mark_n("{n} household has a faulty row", "{n} households have a faulty row"),
    "no_adult": mark_n("{n} household has no adult known", "{n} households have no adult known"),
    "held": mark_n("{n} household is on hold", "{n} households are on hold"),
    "no_eligible": mark_n("{n} household has no offer that suits it", "{n} households have no offer that suits them"),
    "tie": mark_n("{n} household has no offer that keeps its required ties", "{n} households have no offer that keeps their required ties"),
    "split_pair": mark_n(
        "{n} household is bound to a household without a place", "{n} households are bound to a household without a place"
    ),
    "policy": mark_n(
        "{n} household would cost more placed than not, by this policy",
        "{n} households would cost more placed than not, by this policy",
    ),
    "no_capacity": mark_n("{n} household would fit where all is taken", "{n} households would fit where all is taken"),
}
CUT_WORDS = {
    "interrupt": mark("The search was interrupted; this is the best checked plan so far."),
    "time": mark("The search was cut by the time limit; this is the best checked plan so far."),
    "crash": mark("The search was cut short by a crash of the solver; this is the best checked plan so far."),
}


def show(result: Result, numbers: dict[str, Any], name: str, out: Path, lang: str = "en") -> None:
    """Print the summary to standard output."""
    t = translator(lang)
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(_title(numbers, name, t), style="bold"))
    if result.effort.cut_by in CUT_WORDS:
        console.print(Text(t.say(CUT_WORDS[result.effort.cut_by]), style="bold yellow"))
    console.print(_table(numbers, t))
    width = _width(t)
    for label, text in _facts(result, numbers, t):
        console.print(Text.assemble((f"{label:<{width}}", "bold"), text))
    for line in _reasons(result, t):
        console.print(line)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    for sentence in result.warnings[:10]:
        errors.print(Text(t.say("Warning: {sentence}", sentence=sentence), style="yellow"))
    if len(result.warnings) > 10:
        more = t.say_n("… and {n} more warning in summary.json", "… and {n} more warnings in summary.json", len(result.warnings) - 10)
        errors.print(Text(more, style="yellow"))
    for file in _files(result, out, t):
        console.print(Text(file))
    console.print(t.say("This is a proposal. A person decides."))


def _width(t: Translator) -> int:
    """Room for the words at the left."""
    words = (t.say("Journey"), t.say("Ties kept"), t.say("Beds left"), t.say("How good"), t.say("Left out"), t.say("Files"))
    return max(NARROW, *(len(word) + 2 for word in words))


def _title(numbers: dict[str, Any], name: str, t: Translator) -> str:
    persons, households = numbers["persons"], numbers["households"]
    return t.say(
        "{name}, {date}: {placed} of {persons} persons have a place ({homes} of {households} households)",
        name=name,
        date=t.date(dt.date.fromisoformat(numbers["options"]["date"])),
        placed=persons["placed"],
        persons=sum(persons.values()),
        homes=households["placed"],
        households=sum(households.values()),
    )


def _table(numbers: dict[str, Any], t: Translator) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("")
    for head in (t.say("persons"), t.say("placed"), t.say("unplaced"), t.say("left out")):
        table.add_column(head, justify="right")
    for priority, split in numbers["by_priority"].items():
        if sum(split["persons"].values()):
            table.add_row(priority_name(priority, t), *_counts(split["persons"], t))
    table.add_row(t.say("all"), *_counts(numbers["persons"], t), style="bold")
    return table


def priority_name(priority: str, t: Translator) -> str:
    """How a priority is called: 1 to 5, or unknown."""
    if priority == "1":
        return t.say("priority 1, most urgent")
    return t.say("priority {priority}", priority=t.say("unknown") if priority == "unknown" else priority)


def _counts(counts: dict[str, int], t: Translator) -> list[str]:
    left_out = counts["left_out"] + counts["quarantined"]
    return [t.number(n) for n in (sum(counts.values()), counts["placed"], counts["unplaced"], left_out)]


def _facts(result: Result, numbers: dict[str, Any], t: Translator) -> list[tuple[str, str]]:
    km, ties, beds = numbers["km"], numbers["ties"], numbers["beds"]
    facts = []
    if result.placements:
        far = t.say("median {median} km, 95 % of persons at most {p95} km", median=t.number(km["median"]), p95=t.number(km["p95"]))
        facts.append((t.say("Journey"), far))
    estimated = numbers["estimated_distances"]["placements"]
    if estimated:
        model = numbers["policy"]["travel"]["model"]
        guess = t.say(ESTIMATED[model], estimated=estimated, all=len(result.placements))
        facts.append(("", guess))
    if ties["all"]:
        facts.append((t.say("Ties kept"), t.say("{kept} of {all}", kept=ties["kept"], all=ties["all"])))
    left = t.say("{left} of {offered} in open offers; they need not suit anybody who is left", left=beds["left"], offered=beds["offered"])
    return [*facts, (t.say("Beds left"), left), (t.say("How good"), goodness(result, t))]


def goodness(result: Result, t: Translator) -> str:
    """How good the plan is, in words."""
    if result.status == "optimal":
        if result.proved_by == "prices":
            return t.say("no plan is better by this policy (proved by its prices)")
        return t.say("no plan is better by this policy (every other possibility was searched)")
    return t.say(
        "no plan can be better by more than {km} weighted km per person ({share})",
        km=t.number(result.gap_km_per_person, 1),
        share=t.percent(max(result.gap, 0.0001), 2),
    )


def _reasons(result: Result, t: Translator) -> list[Text]:
    lines = []
    for label, wanted in ((t.say("Unplaced"), False), (t.say("Left out"), True)):
        counts = Counter(row.reason for row in result.unplaced if (row.reason in LEFT_OUT_REASONS) is wanted)
        for reason, words in REASON_WORDS.items():
            if counts[reason]:
                who = t.say_n(*words, counts[reason])
                lines.append(Text.assemble((f"{label:<{_width(t)}}", "bold"), f"{who} ({reason})"))
                label = ""
    return lines


def _files(result: Result, out: Path, t: Translator) -> list[str]:
    lines = [
        t.say("{folder}/report.html: all of this to read, search and print; open it in a browser", folder=out),
        t.say("placements.csv: who goes where; unplaced.csv: who has no place, and why"),
    ]
    secret = int(Placements.of(result.placements).protected.sum())
    if secret:
        lines.append(t.say_n(
            "placements_protected.csv: {n} protected household stands in this file only",
            "placements_protected.csv: {n} protected households stand in this file only", secret,
        ))  # fmt: skip
    if result.instance is not None and result.instance.set_aside:
        lines.append(t.say_n(
            "quarantined.csv: {n} faulty row was set aside; mend it", "quarantined.csv: {n} faulty rows were set aside; mend them",
            len(result.instance.set_aside),
        ))  # fmt: skip
    if (out / "results.xlsx").exists():
        lines.append(t.say("results.xlsx: all this as one workbook"))
    lines.append(t.say("summary.json: the run in numbers; certificate.json: the proof, for `matcher verify`"))
    label = t.say("Files")
    return [f"{label if i == 0 else '':<{_width(t)}}{line}" for i, line in enumerate(lines)]

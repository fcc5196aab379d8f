"""The summary that a coordinator reads in ten seconds."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from matcher.placed import Placements
from matcher.result import LEFT_OUT_REASONS, Result

REASON_WORDS = {
    "no_consent": "have not consented",
    "quarantined": "have a faulty row",
    "no_adult": "have no adult known",
    "held": "are on hold",
    "no_eligible": "have no offer that suits them",
    "tie": "have no offer that keeps their required ties",
    "split_pair": "are bound to a household without a place",
    "policy": "would cost more placed than not, by this policy",
    "no_capacity": "would fit where all is taken",
}


def show(result: Result, numbers: dict[str, Any], name: str, out: Path) -> None:
    """Print the summary to standard output."""
    console = Console(highlight=False, soft_wrap=True)
    persons, households = numbers["persons"], numbers["households"]
    every, homes = sum(persons.values()), sum(households.values())
    title = f"{name}, {numbers['options']['date']}: {persons['placed']} of {every} persons have a place "
    console.print(Text(f"{title}({households['placed']} of {homes} households)", style="bold"))
    if result.effort.cut_by in ("interrupt", "time", "crash"):
        words = {"interrupt": "interrupted", "time": "cut by the time limit", "crash": "cut short by a crash of the solver"}
        console.print(Text(f"The search was {words[result.effort.cut_by]}; this is the best checked plan so far.", style="bold yellow"))
    console.print(_table(numbers))
    for label, text in _facts(result, numbers):
        console.print(Text.assemble((f"{label:<12}", "bold"), text))
    for line in _reasons(result):
        console.print(line)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    for sentence in result.warnings[:10]:
        errors.print(Text(f"Warning: {sentence}", style="yellow"))
    if len(result.warnings) > 10:
        errors.print(Text(f"… and {len(result.warnings) - 10} more warnings in summary.json", style="yellow"))
    console.print(f"{'Files':<12}{out}/placements.csv: who goes where; unplaced.csv: who has no place, and why")
    secret = int(Placements.of(result.placements).protected.sum())
    if secret:
        who = "1 protected household stands" if secret == 1 else f"{secret} protected households stand"
        console.print(f"{'':<12}placements_protected.csv: {who} in this file only")
    if result.instance is not None and result.instance.set_aside:
        count = len(result.instance.set_aside)
        rows = "1 faulty row was" if count == 1 else f"{count} faulty rows were"
        console.print(f"{'':<12}quarantined.csv: {rows} set aside; mend them")
    console.print(f"{'':<12}summary.json: the run in numbers; certificate.json: the proof, for `matcher verify`")
    console.print("This is a proposal. A person decides.")


def _table(numbers: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("")
    for head in ("persons", "placed", "unplaced", "left out"):
        table.add_column(head, justify="right")
    labels = {"1": "priority 1, most urgent", "5": "priority 5"}
    for priority, split in numbers["by_priority"].items():
        counts = split["persons"]
        total = sum(counts.values())
        if total:
            name = labels.get(priority, f"priority {priority}")
            left_out = counts["left_out"] + counts["quarantined"]
            table.add_row(name, f"{total:,}", f"{counts['placed']:,}", f"{counts['unplaced']:,}", f"{left_out:,}")
    persons = numbers["persons"]
    total = sum(persons.values())
    left_out = persons["left_out"] + persons["quarantined"]
    table.add_row("all", f"{total:,}", f"{persons['placed']:,}", f"{persons['unplaced']:,}", f"{left_out:,}", style="bold")
    return table


def _facts(result: Result, numbers: dict[str, Any]) -> list[tuple[str, str]]:
    km, ties, beds = numbers["km"], numbers["ties"], numbers["beds"]
    facts = [
        ("Journey", f"median {km['median']:,.0f} km, 95 % of persons at most {km['p95']:,.0f} km"),
        ("Ties kept", f"{ties['kept']} of {ties['all']}"),
        ("Beds left", f"{beds['left']:,} of {beds['offered']:,} in open offers; they need not suit anybody who is left"),
        ("How good", goodness(result)),
    ]
    estimated = numbers["estimated_distances"]["placements"]
    if estimated:
        facts.insert(1, ("", f"estimated from coordinates for {estimated} of {len(result.placements)} households"))
    shown = {"Ties kept": bool(ties["all"]), "Journey": bool(result.placements)}
    return [fact for fact in facts if shown.get(fact[0], True)]


def goodness(result: Result) -> str:
    """How good the plan is, in words."""
    if result.status == "optimal":
        how = "proved by its prices" if result.proved_by == "prices" else "every other possibility was searched"
        return f"no plan is better by this policy ({how})"
    share = f"{result.gap:.2%}" if result.gap >= 0.0001 else "0.01 %"
    return f"no plan can be better by more than {result.gap_km_per_person:,.1f} weighted km per person ({share})"


def _reasons(result: Result) -> list[Text]:
    lines = []
    for label, wanted in (("Unplaced", False), ("Left out", True)):
        counts = Counter(row.reason for row in result.unplaced if (row.reason in LEFT_OUT_REASONS) is wanted)
        for reason, words in REASON_WORDS.items():
            if counts[reason]:
                who = f"{counts[reason]} households {words}"
                if counts[reason] == 1:
                    who = "1 household " + words.replace("have ", "has ", 1).replace("are ", "is ", 1)
                lines.append(Text.assemble((f"{label:<12}", "bold"), f"{who} ({reason})"))
                label = ""
    return lines

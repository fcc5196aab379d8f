"""Rows of a source that are asked whether they belong, and groups of rows of which one leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from matcher.io.mapping.parts import Condition, Row, Rule, Wrong

Joined = tuple[Row, Wrong | None]
"""A row with what belongs to it, and what is wrong with it."""


def asked(wanted: Condition | None, row: Row) -> tuple[bool, Wrong | None]:
    """Whether a row fulfils a condition, and the cell that leaves it open. Such a row stays, so that nobody is left out by a slip."""
    try:
        return wanted is None or wanted.holds(row), None
    except Wrong as wrong:
        return True, wrong


def leads(rows: Sequence[Joined], group: Rule, lead: Condition | None, no_lead: str) -> list[Joined]:
    """One row for each group of rows: the one that leads it, else the first, with what is wrong: no lead (and what to say then), more
    than one, or unclear."""
    groups: dict[str, list[Joined]] = {}
    alone: list[Joined] = []
    for row, trouble in rows:
        try:
            text = group.text(row)
        except Wrong as wrong:
            alone.append((row, wrong))
            continue
        if text:
            groups.setdefault(text, []).append((row, trouble))
        else:
            alone.append((row, Wrong("required", "the row belongs to no household: fill this cell", group.at(row))))
    return sorted([_led(rows, group, lead, no_lead) for rows in groups.values()] + alone, key=lambda entry: entry[0].number)


def _led(rows: Sequence[Joined], group: Rule, lead: Condition | None, no_lead: str) -> Joined:
    """The row that leads a group, with all of its rows."""
    answers = [(entry, *asked(lead, entry[0])) for entry in rows]
    unclear = next((wrong for _, _, wrong in answers if wrong is not None), None)
    heads = [entry for entry, holds, wrong in answers if holds and wrong is None]
    row, trouble = (heads or rows)[0]
    if unclear is not None:
        trouble = unclear
    elif not heads:
        trouble = Wrong("no_lead", no_lead, group.at(row))
    elif lead is not None and len(heads) > 1:
        trouble = Wrong("several_leads", "more than one row of this household is its head", group.at(heads[1][0]))
    return replace(row, many={**row.many, "group": [entry[0] for entry in rows]}), trouble

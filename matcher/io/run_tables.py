"""A run's tables once more as a workbook or as Parquet files, made from the CSV files so that they cannot say anything else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from matcher.i18n import mark, translator
from matcher.io.parquet import parquet_bytes
from matcher.io.tokens import split_records
from matcher.io.workbook_out import Kind, Sheet, workbook_bytes

RESULTS: Final = "results.xlsx"
PROTECTED: Final = "placements_protected.csv"  # stands in no other file, so neither in these
_ORDER = ("placements.csv", "unplaced.csv", "quarantined.csv")
_WHOLE = re.compile(r"persons|priority|ties_kept|line")
_NUMBER = re.compile(r"km|minutes|cost|cost_.*|tie_km|alternative_[0-9]+_cost")


def results_workbook(texts: Mapping[str, str]) -> bytes:
    """A summary and the tables of a run as one workbook. texts: the files of the run by name."""
    names = [name for name in _ORDER if name in texts] + sorted(_others(texts))
    summary = json.loads(texts["summary.json"])
    tables = (_sheet(name, texts[name]) for name in names)
    return workbook_bytes([_summary(summary), *tables], "Placements proposed")


def results_parquet(texts: Mapping[str, str]) -> dict[str, bytes]:
    """The tables of a run as Parquet files, by name."""
    sheets = [_sheet(name, texts[name]) for name in (*_ORDER, *sorted(_others(texts))) if name in texts]
    return {f"{sheet.name}.parquet": parquet_bytes(sheet.columns, sheet.kinds, sheet.rows) for sheet in sheets}


def _others(texts: Mapping[str, str]) -> set[str]:
    return {name for name in texts if name.endswith(".csv")} - {*_ORDER, PROTECTED}


def _sheet(name: str, text: str) -> Sheet:
    records = split_records(text, ",")
    columns = next(records).cells
    kinds: list[Kind] = ["whole" if _WHOLE.fullmatch(c) else "number" if _NUMBER.fullmatch(c) else "text" for c in columns]
    rows = [[_cell(cell, kind) for cell, kind in zip(record.cells, kinds, strict=True)] for record in records]
    decimals = {column: 1 for column, kind in zip(columns, kinds, strict=True) if kind == "number"}
    return Sheet(name.removesuffix(".csv"), columns, kinds, rows, decimals)


def _cell(cell: str, kind: Kind) -> Any:
    if not cell:
        return None
    return cell if kind == "text" else int(cell) if kind == "whole" else float(cell)


_GROUPS: Final = (
    ("persons", mark("Persons")),
    ("households", mark("Households")),
    ("km", mark("Journey, km")),
    ("ties", mark("Ties")),
    ("beds", mark("Beds")),
    ("estimated_distances", mark("Distances estimated")),
    ("cost_terms", mark("Cost by term, in 0.1 person-km")),
)
_FACTS: Final = ("status", "proved_by", "strategy", "cost", "bound", "gap", "gap_km_per_person", "seed", "version", "input_sha256")


def _summary(summary: Mapping[str, Any]) -> Sheet:
    """The run in numbers, named as in `summary.json`, under titles in the language of the run."""
    t = translator(summary["options"].get("lang", "en"))
    rows: list[Sequence[Any]] = []
    headings: list[int] = []

    def part(title: str, pairs: Iterator[tuple[str, Any]]) -> None:
        headings.append(len(rows))
        rows.append((title, None, None))
        for name, value in pairs:
            number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
            rows.append((name, number, None if number is not None or value is None else str(value)))

    part(t.say("This is a proposal. A person decides."), iter([("date", summary["options"]["date"])]))
    for key, title in _GROUPS:
        if key in summary:
            part(t.say(title), _flat(summary[key]))
    for key, title in (("by_priority", t.say("Priority")), ("by_group", t.say("Group"))):
        for name, split in summary.get(key, {}).items():
            part(f"{title} {name}", _flat(split))
    part(t.say("The plan"), ((name, summary[name]) for name in _FACTS if name in summary))
    part(t.say("Warnings"), (("", sentence) for sentence in summary.get("warnings", ())))
    return Sheet("summary", ("what", "number", "text"), ("text", "number", "text"), rows, {}, frozenset(headings))


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The numbers of nested groups, named by the way to them."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{prefix} {name}".strip())
    else:
        yield prefix, value

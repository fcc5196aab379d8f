"""Figures for Prometheus, as a text file for the node exporter. Counts only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from matcher.durable import replace_file

READABLE = 0o644
"""The exporter runs as somebody else; there is nothing personal in the file."""


@dataclass(frozen=True)
class Figures:
    """The state after a run. exit_code, finished_at, seconds: of this run. success_at, date, gap, fallback, persons, households: of the
    last published one; None or empty while there is none. refused: runs in a row without a result."""

    exit_code: int
    finished_at: dt.datetime
    seconds: float
    success_at: dt.datetime | None = None
    date: dt.date | None = None
    duration_s: float | None = None
    gap: float | None = None
    fallback: bool = False
    persons: Mapping[str, int] = field(default_factory=dict)
    households: Mapping[str, int] = field(default_factory=dict)


def metrics_text(figures: Figures) -> str:
    """In Prometheus' text format."""
    lines: list[str] = []

    def gauge(name: str, words: str, value: float | None, labels: str = "") -> None:
        if value is None:
            return
        if not labels or not any(line.startswith(f"# HELP matcher_{name} ") for line in lines):
            lines.extend([f"# HELP matcher_{name} {words}", f"# TYPE matcher_{name} gauge"])
        lines.append(f"matcher_{name}{labels} {value:.10g}")

    def instant(when: dt.datetime | None) -> float | None:
        return None if when is None else when.timestamp()

    gauge("last_run_timestamp_seconds", "When the last run ended.", instant(figures.finished_at))
    gauge("last_run_success", "1 if the last run published a result, or found nothing new.", float(figures.exit_code == 0))
    gauge("last_run_exit_code", "Exit code of the last run.", figures.exit_code)
    gauge("last_run_duration_seconds", "How long the last run took.", figures.seconds)
    gauge("last_success_timestamp_seconds", "When the last published run ended.", instant(figures.success_at))
    day = None if figures.date is None else dt.datetime.combine(figures.date, dt.time(), dt.UTC).timestamp()
    gauge("last_success_service_date_seconds", "Service date of the last published run, its midnight in UTC.", day)
    gauge("last_success_duration_seconds", "How long the last published run took.", figures.duration_s)
    gauge("gap_ratio", "By what share a better plan could cost less, at most.", figures.gap)
    if figures.success_at is not None:
        gauge("fallback", "1 if the last plan was made without a search.", float(figures.fallback))
    for what, counts in (("persons", figures.persons), ("households", figures.households)):
        for state, count in counts.items():
            gauge(what, f"Number of {what} in the last published run.", count, f'{{state="{state}"}}')
    return "\n".join(lines) + "\n"


def write_metrics(path: Path, figures: Figures) -> None:
    """Write the file, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, metrics_text(figures), READABLE)

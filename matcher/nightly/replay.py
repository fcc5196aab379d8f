"""A night made once more: from its delivery, from the decisions and proposals that it knew, and from the folder it began from."""

from __future__ import annotations

import json
from dataclasses import replace

from matcher.errors import UsageError
from matcher.history import History, Run
from matcher.nightly.config import NightlyConfig
from matcher.nightly.log import NightLog
from matcher.nightly.manifest import read_delivery
from matcher.nightly.work import prepare, solve_task
from matcher.published import with_distances

DIFFERS = frozenset({"run.json"})
"""Files that tell of the run itself, and differ from one to the next."""


def was_cut(config: NightlyConfig, run: Run) -> bool:
    """Did the clock, or a crash, have a say in what a published run found? Then it need not come out the same again."""
    told = json.loads((config.outbox_path / run.name / "run.json").read_text(encoding="utf-8"))
    return run.status == "fallback" or told["cut_by"] in ("time", "crash") or told["nightly"]["remedies_cut_by"] is not None


def replay(config: NightlyConfig, history: History, run: Run, log: NightLog) -> tuple[str, ...]:
    """Make a published run again and compare: names of the files that are not the same to the byte. Nothing is written but the log.

    Runs that the clock has cut may differ. Raises UsageError where the run published nothing, and what its night could raise.
    """
    if run.outcome != "published":
        raise UsageError(f"run {run.id} ({run.name}) was {run.outcome}, there is nothing to compare with")
    delivery = read_delivery(config.inbox_path / run.delivery)
    task = prepare(config, run.date, delivery, history, config.outbox_path, log, again=run)
    folder = config.outbox_path / run.name
    known = with_distances(task.merged.instance, task.policy, folder)  # a routing server may have a newer map today, or be gone
    task = replace(task, merged=replace(task.merged, instance=known))
    files = solve_task(task, log).files(task, run)
    there = {path.name for path in folder.iterdir()}
    different = {name for name, data in files.items() if name not in there or (folder / name).read_bytes() != data}
    return tuple(sorted((different | (there - files.keys())) - DIFFERS))

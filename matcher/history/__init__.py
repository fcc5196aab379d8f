"""What was run, proposed and decided, kept in a database (SQLite, or PostgreSQL by its URL).

    with open_history("history.sqlite", create=True) as history:
        run = history.start(date, delivery="2026-11-22T0200")             # committed: a crash from here on leaves a trace
        standings = history.standings(date, expire_days)                  # where everybody stands
        merged = matcher.decided.merge(instance, standings, ...)          # the instance to solve tonight
        ...
        with history.publishing(run, files=..., cost=..., decisions_upto=..., based_on=..., ...) as publication:
            publication.add_proposals(proposals_of(result, merged.since, date))
            publication.add_fingerprints(fingerprints(instance))
            stage.rename(outbox / publication.name)                       # the row and the folder appear together

`store` is the database, `records` the plain data in it, `standing` what follows from them on a date.
"""

from __future__ import annotations

from matcher.history.database import HistoryError
from matcher.history.records import ACTIONS, Decision, FileSum, Proposal, Run, reasons_of
from matcher.history.standing import Stand, Standings, standings
from matcher.history.store import History, Publication, open_history

__all__ = [
    "ACTIONS", "Decision", "FileSum", "History", "HistoryError", "Proposal", "Publication", "Run", "Stand", "Standings",
    "open_history", "reasons_of", "standings",
]  # fmt: skip

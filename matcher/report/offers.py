"""The offers that a page names, each once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from matcher.lookup import ById
from matcher.model import Accommodation
from matcher.report.geography import Atlas


@dataclass
class Offers:
    """The offers that a page names, each once."""

    known: ById[Accommodation]
    atlas: Atlas
    rows: list[list[Any]] = field(default_factory=list)
    _number: dict[str, int] = field(default_factory=dict)

    def number(self, accommodation_id: str) -> int:
        """Number of an offer in the list."""
        if accommodation_id not in self._number:
            self._number[accommodation_id] = len(self.rows)
            offer = self.known[accommodation_id]
            end = None if offer.available_until is None else offer.available_until.isoformat()
            self.rows.append([accommodation_id, self.atlas.number(offer.spot), offer.kind, sorted(offer.features), end])
        return self._number[accommodation_id]

"""What a place is called, in English and in Ukrainian."""

from __future__ import annotations

from matcher.model import Spot
from matcher.places.gazetteer import gazetteer


def names(spot: Spot) -> tuple[str, str]:
    """(English, Ukrainian) name of a place; coordinates where it has none."""
    if spot.key is not None and (known := gazetteer().named(spot.key)) is not None:
        return known.en, known.uk or known.en
    name = spot.name or f"{spot.lat:.4f} {spot.lon:.4f}"
    return name, name

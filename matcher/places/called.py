"""What a place is called: in English and in Ukrainian, and in the files of a run."""

from __future__ import annotations

from matcher.model import Spot
from matcher.places.gazetteer import gazetteer


def names(spot: Spot) -> tuple[str, str]:
    """(English, Ukrainian) name of a place; coordinates where it has none."""
    if spot.key is not None and (known := gazetteer().named(spot.key)) is not None:
        return known.en, known.uk or known.en
    name = place_name(spot)
    return name, name


def place_name(spot: Spot) -> str:
    """How a reader of the files knows the place: its name there, else its coordinates."""
    return spot.name or f"{spot.lat:.4f} {spot.lon:.4f}"

"""The built-in settlements, as scripts/build_gazetteer.py writes them (columns: data/README.md)."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

Rank = Literal["city", "settlement", "village"]
_RANKS: dict[str, Rank] = {"M": "city", "X": "settlement", "C": "village"}
DATA = "ukraine.tsv.xz"


@dataclass(frozen=True, slots=True)
class Settlement:
    """A settlement of Ukraine.

    key: "katottg:UA…" where the KATOTTG code is known, else "geonames:…". adm1: oblast P-code. lat, lon: WGS84 degrees.
    population: as GeoNames has it; 0 where it does not tell. rank: місто, селище or село; None without a KATOTTG code.
    en, uk, ru: the current name; uk and ru "" where not known. others: old names and other spellings in the three languages.
    """

    key: str
    adm1: str
    lat: float
    lon: float
    population: int
    katottg: str | None
    rank: Rank | None
    geonames_id: int
    en: str
    uk: str
    ru: str
    others: tuple[str, ...]

    @property
    def current(self) -> tuple[str, ...]:
        """The current name in the languages in which it is known."""
        return tuple(name for name in (self.en, self.uk, self.ru) if name)

    @property
    def code(self) -> str:
        """What to write in a cell, or to look up: the KATOTTG code, else the GeoNames id."""
        return self.katottg or f"geonames {self.geonames_id}"


def read_settlements() -> Iterator[Settlement]:
    """All built-in settlements, by GeoNames id."""
    packed = (files("matcher.places") / "data" / DATA).read_bytes()
    for line in lzma.decompress(packed).decode().splitlines():
        code, category, number, oblast, lat, lon, population, en, uk, ru, others = line.split("\t")
        yield Settlement(
            key=f"katottg:UA{code}" if code else f"geonames:{number}",
            adm1=f"UA{oblast}",
            lat=float(lat),
            lon=float(lon),
            population=int(population),
            katottg=f"UA{code}" if code else None,
            rank=_RANKS[category] if category else None,
            geonames_id=int(number),
            en=en,
            uk=uk,
            ru=ru,
            others=tuple(others.split("|")) if others else (),
        )

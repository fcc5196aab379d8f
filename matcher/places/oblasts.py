"""The 27 regions of Ukraine: 24 oblasts, Crimea, Kyiv city, Sevastopol; their codes and the names people use for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from matcher.places.faults import PlaceError
from matcher.places.names import fold, romanise

Language = Literal["en", "uk", "ru"]


@dataclass(frozen=True, slots=True)
class Oblast:
    """A region of the first level.

    pcode: "UA46". iso: ISO 3166-2, "UA-46". katottg: its own code. en, uk, ru: names to show. centre: key of the settlement
    that is its administrative centre. spoken: other names people use, without the word oblast.
    """

    pcode: str
    iso: str
    katottg: str
    en: str
    uk: str
    ru: str
    centre: str
    spoken: tuple[str, ...]


# Words that say "oblast" or "city" and stand beside a name; whether "oblast" was said tells Kyiv oblast from Kyiv city.
_OBLAST_WORD = re.compile(r"\b(?:oblast|region|область|обл)\b\.?", re.IGNORECASE)
_CITY_WORD = re.compile(r"\b(?:city|місто|город)\b|(?<!\w)[мг]\.", re.IGNORECASE)

# ISO 3166-2 has the number of the P-code, but for these.
_OTHER_ISO = {"UA01": "UA-43", "UA44": "UA-09", "UA73": "UA-77", "UA80": "UA-30", "UA85": "UA-40"}

# KATOTTG code, that of the centre, then: English, Ukrainian, Russian, names people use besides.
_TABLE = """
UA01000000000013043 UA01160330010074014 Crimea|Автономна Республіка Крим|Автономная Республика Крым|Крим|Крым|Krym|Autonomous Republic of Crimea|АРК|АР Крим|ARC
UA05000000000010236 UA05020030010063857 Vinnytsia|Вінницька|Винницкая|Вінниця|Вінниччина|Винница|Vinnitsa
UA07000000000024379 UA07080170010083384 Volyn|Волинська|Волынская|Волинь|Волынь|Луцьк|Lutsk
UA12000000000090473 UA12020010010037010 Dnipropetrovsk|Дніпропетровська|Днепропетровская|Дніпропетровськ|Дніпропетровщина|Днепропетровск|Dnepropetrovsk|Dnipro|Дніпро|Днепр
UA14000000000091971 UA14080030010048113 Donetsk|Донецька|Донецкая|Донецьк|Донеччина|Донецк
UA18000000000041385 UA18040190010057814 Zhytomyr|Житомирська|Житомирская|Житомир|Житомирщина|Zhitomir
UA21000000000011690 UA21100230010016545 Zakarpattia|Закарпатська|Закарпатская|Закарпаття|Закарпатье|Transcarpathia|Zakarpattya|Ужгород|Uzhhorod
UA23000000000064947 UA23060070010069526 Zaporizhzhia|Запорізька|Запорожская|Запоріжжя|Запорожье|Zaporizhia|Zaporozhye|Zaporizhzhya
UA26000000000069363 UA26040190010045761 Ivano-Frankivsk|Івано-Франківська|Ивано-Франковская|Івано-Франківськ|Прикарпаття|Ивано-Франковск|Ivano-Frankovsk
UA32000000000030281 UA80000000000093317 Kyiv Oblast|Київська|Киевская|Київщина|Киевщина|Kiev Oblast
UA35000000000016081 UA35040210010019355 Kirovohrad|Кіровоградська|Кировоградская|Кіровоград|Кіровоградщина|Кировоград|Kirovograd|Кропивницький|Kropyvnytskyi
UA44000000000018893 UA44060010010012753 Luhansk|Луганська|Луганская|Луганськ|Луганщина|Луганск|Lugansk
UA46000000000026241 UA46060250010015970 Lviv|Львівська|Львовская|Львів|Львівщина|Львов|Lvov
UA48000000000039575 UA48060150010035747 Mykolaiv|Миколаївська|Николаевская|Миколаїв|Миколаївщина|Николаев|Nikolaev|Mykolayiv
UA51000000000030770 UA51100270010076757 Odesa|Одеська|Одесская|Одеса|Одещина|Одесса|Odessa
UA53000000000028050 UA53080370010073240 Poltava|Полтавська|Полтавская|Полтава|Полтавщина
UA56000000000066151 UA56060470010041018 Rivne|Рівненська|Ровенская|Рівне|Рівненщина|Ровно|Rovno
UA59000000000057109 UA59080270010036634 Sumy|Сумська|Сумская|Суми|Сумщина|Сумы
UA61000000000060328 UA61040490010069060 Ternopil|Тернопільська|Тернопольская|Тернопіль|Тернопільщина|Тернополь|Ternopol
UA63000000000041885 UA63120270010096107 Kharkiv|Харківська|Харьковская|Харків|Харківщина|Харьков|Kharkov
UA65000000000030969 UA65100150010064384 Kherson|Херсонська|Херсонская|Херсон|Херсонщина
UA68000000000099709 UA68040470010096613 Khmelnytskyi|Хмельницька|Хмельницкая|Хмельницький|Хмельниччина|Хмельницкий|Khmelnitsky|Khmelnytsky
UA71000000000010357 UA71080490010015879 Cherkasy|Черкаська|Черкасская|Черкаси|Черкащина|Черкассы|Cherkassy
UA73000000000044923 UA73060610010033137 Chernivtsi|Чернівецька|Черновицкая|Чернівці|Буковина|Черновцы|Chernovtsy
UA74000000000025378 UA74100390010054825 Chernihiv|Чернігівська|Черниговская|Чернігів|Чернігівщина|Чернигов|Chernigov
UA80000000000093317 UA80000000000093317 Kyiv City|Київ|Киев|Kyiv|Kiev
UA85000000000065278 UA85000000000065278 Sevastopol|Севастополь|Севастополь
"""


def _read(line: str) -> Oblast:
    """One line of _TABLE."""
    katottg, centre, names = line.split(maxsplit=2)
    en, uk, ru, *spoken = names.split("|")
    pcode = katottg[:4]
    return Oblast(
        pcode=pcode,
        iso=_OTHER_ISO.get(pcode, f"UA-{pcode[2:]}"),
        katottg=katottg,
        en=en,
        uk=uk,
        ru=ru,
        centre=f"katottg:{centre}",
        spoken=tuple(spoken),
    )


OBLASTS: Mapping[str, Oblast] = MappingProxyType({o.pcode: o for o in map(_read, _TABLE.strip().splitlines())})

# A city with special status and the oblast around it: "Boryspil, Kyiv" and "Sevastopol, Crimea" are what people write.
NEIGHBOUR: Mapping[str, str] = MappingProxyType({"UA32": "UA80", "UA80": "UA32", "UA01": "UA85", "UA85": "UA01"})


def _codes() -> dict[str, str]:
    """Every code that names an oblast, upper-case, and its P-code."""
    return {code: o.pcode for o in OBLASTS.values() for code in (o.pcode, o.iso, o.katottg)}


def _names() -> dict[str, str]:
    """Every folded name of an oblast, without the word oblast, and its P-code."""
    return {fold(name): o.pcode for o in OBLASTS.values() for name in (o.en, o.uk, o.ru, romanise(o.uk), *o.spoken)}


_CODES: Mapping[str, str] = MappingProxyType(_codes())
_NAMES: Mapping[str, str] = MappingProxyType(_names())


def by_code(text: str) -> str | None:
    """The P-code for a P-code, an ISO 3166-2 code or an oblast's KATOTTG code (any case); None for anything else."""
    return _CODES.get(text.strip().upper())


def by_name(text: str) -> str | None:
    """The P-code for an oblast's name in one of the three languages, with or without the word oblast; None if it is none."""
    bare = fold(_CITY_WORD.sub(" ", _OBLAST_WORD.sub(" ", text)))
    pcode = _NAMES.get(bare)
    if pcode == "UA80" and _OBLAST_WORD.search(text):
        return "UA32"
    return pcode


def find(text: str) -> str:
    """The P-code of the oblast that a text names by code or name. Raises PlaceError("unknown_oblast")."""
    pcode = by_code(text) or by_name(text)
    if pcode is None:
        raise PlaceError("unknown_oblast", f"{text.strip()!r} is not an oblast{hint(text) or '; give a P-code such as UA46, or its name'}")
    return pcode


def hint(text: str) -> str:
    """For a code that mixes up P-codes and ISO 3166-2 codes: what was probably meant. "" where there is nothing to say."""
    code = re.fullmatch(r"UA(-?)(\d\d)", text.strip().upper())
    if code is None:
        return ""
    dash, number = code.groups()
    other = _CODES.get(f"UA{number}" if dash else f"UA-{number}")
    if other is None:
        return ""
    if dash:
        return f": there is no ISO 3166-2 code UA-{number}; the P-code UA{number} ({OBLASTS[other].en}) is written without a hyphen"
    return f": there is no P-code UA{number}; the ISO 3166-2 code UA-{number} is {other} ({OBLASTS[other].en})"

"""Which of the many names that GeoNames lists for a settlement are Ukrainian, Russian or English spellings (for build_gazetteer)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from rapidfuzz.distance import Indel

from matcher.places.names import fold, romanise

_RUSSIAN = re.compile(r"[а-яё][а-яё' -]*", re.IGNORECASE)
_CYRILLIC = re.compile(r"[а-яёіїєґ][а-яёіїєґ'’ʼ -]*", re.IGNORECASE)
# Spellings that English romanisations of either language use: no j q w x, c only in ch.
_LATIN = re.compile(r"(?:[abd-ik-pr-vyz' -]|ch)+", re.IGNORECASE)
_UKRAINIAN_ONLY = re.compile(r"[іїєґ'’ʼ]", re.IGNORECASE)
_TO_RUSSIAN = str.maketrans({"і": "и", "ї": "и", "є": "е", "ґ": "г", "'": "ъ", "’": "ъ", "ʼ": "ъ"})
_ENDINGS = (
    (r"івка\b", "овка"),
    (r"ївка\b", "евка"),
    (r"ів\b", "ов"),
    (r"їв\b", "ев"),
    (r"([сц])ьке\b", r"\1кое"),
    (r"([сц])ьк", r"\1к"),
    (r"([оеє])ве\b", r"\1во"),
    (r"ине\b", "ино"),
    (r"не\b", "ное"),
    (r"ний\b", "ный"),
    (r"([аи])ни\b", r"\1ны"),
    (r"ці\b", "цы"),
)

# Letters that the two languages and their romanisations swap are made one.
_SKELETON = ((r"shch|щ", "ш"), (r"zh", "ж"), (r"kh", "г"), (r"ts", "ц"), (r"ch", "ч"), (r"sh", "ш"), (r"[hg]", "г"))
_SKELETON_LETTERS = (
    str.maketrans("bvdzklmnprstfaeoiuy", "бвдзклмнпрстфаеоиуи") | str.maketrans("хіїйыєэёґ", "гииииееег") | {"ь": "", "ъ": ""}
)


def plain(name: str) -> str:
    """Without stress marks, with one kind of apostrophe, with single spaces."""
    name = unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).replace("\u0301", ""))
    return " ".join(re.sub('[ʼ‘`´ʹ′”"]', "’", name).split())


def cyrillic(names: Iterable[str]) -> list[str]:
    """The names written in letters of Ukrainian or Russian, without repetitions; other Cyrillic alphabets are left out."""
    return list(dict.fromkeys(name for name in map(plain, names) if _CYRILLIC.fullmatch(name) and not name.casefold().endswith(" ош")))


def skeleton(name: str) -> str:
    """A coarse form in which a name looks much the same in Ukrainian, Russian and their romanisations."""
    text = fold(name)
    for pattern, letter in _SKELETON:
        text = re.sub(pattern, letter, text)
    text = text.translate(_SKELETON_LETTERS)
    text = re.sub(r"и?[юу]|иу", "у", re.sub(r"и?я|иа", "а", re.sub(r"ие", "е", text)))
    return re.sub(r"(.)\1+", r"\1", text)


def latin(names: Sequence[str], spelt: Iterable[str | None]) -> list[str]:
    """The Latin names that romanise one of the Cyrillic ones, or come close to it; and the main name, which stands first."""
    known = {skeleton(name) for name in (*cyrillic(names), *(name for name in spelt if name))}
    kept = [names[0]]
    for name in map(plain, names[1:]):
        text = name.replace("’", "'")
        if not _LATIN.fullmatch(text) or not name[0].isupper() or (name.isupper() and len(name) <= 4):
            continue
        form = skeleton(name)
        if not known or any(Indel.normalized_similarity(form, other) >= 0.8 for other in known):
            kept.append(name)
    return kept


def ukrainian(names: Sequence[str]) -> str | None:
    """The Ukrainian spelling of a settlement that the codifier does not tell: the one that the main name romanises, if any."""
    exact = [name for name in cyrillic(names) if fold(romanise(name)) == fold(names[0])]
    alike = [name for name in cyrillic(names) if _UKRAINIAN_ONLY.search(name) and skeleton(name) == skeleton(names[0])]
    return next(iter((*exact, *alike)), None)


def russian(names: Sequence[str], current: str) -> str | None:
    """The Russian spelling of the current name, where the list has one: the nearest to what the usual endings would give."""
    expected = current.casefold()
    for pattern, ending in _ENDINGS:
        expected = re.sub(pattern, ending, expected)
    expected = fold(expected.translate(_TO_RUSSIAN))
    same = fold(current)
    # The Ukrainian spelling counts as Russian only where nothing else does, or the two languages agree.
    scores = {
        name: Indel.normalized_similarity(fold(name), expected) - (0.2 if fold(name) == same != expected else 0.0)
        for name in cyrillic(names)
        if _RUSSIAN.fullmatch(name) and Indel.normalized_similarity(skeleton(name), skeleton(current)) >= 0.6
    }
    return max(scores, key=lambda name: (scores[name], name), default=None)


def is_variant(name: str, current: str) -> bool:
    """Whether a name is another spelling of the current one, rather than an old name."""
    return Indel.normalized_similarity(skeleton(name), skeleton(current)) >= 0.75

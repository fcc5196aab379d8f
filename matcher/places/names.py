"""How names of places are compared, and how Ukrainian is written in Latin letters."""

from __future__ import annotations

import re
import unicodedata

# Apostrophes are optional in what people type, and Latin transliterations write the soft sign as one. Stress marks are not letters.
_DROPPED = "'’ʼ`‘´ʹ′”\"\u0301"
_FOLDED = str.maketrans({**dict.fromkeys(_DROPPED, ""), **dict.fromkeys("-‐‑–—\u00a0", " "), "ё": "е"})

# Resolution No. 55 of the Cabinet of Ministers of Ukraine, 2010: the official romanisation.
_LETTERS = dict(zip("абвгґдезиіїйклмнопрстуф", "abvhgdezyiiiklmnoprstuf", strict=True))
_LETTERS |= {"ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ь": "", "є": "ie", "ю": "iu", "я": "ia", "’": ""}
_AT_START = {"є": "ye", "ї": "yi", "й": "y", "ю": "yu", "я": "ya"}


def fold(name: str) -> str:
    """The form in which names are compared: no case, no apostrophes, hyphen = space, ё = е, single inner spaces."""
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    return " ".join(name.casefold().translate(_FOLDED).split())


def romanise(name: str) -> str:
    """A Ukrainian name in Latin letters, as the resolution of 2010 has it: Часів Яр → Chasiv Yar."""
    text = re.sub("['ʼ`]", "’", name.strip())
    out: list[str] = []
    before = " "
    for char in text:
        small = char.casefold()
        starts = not before.isalpha() and before != "’"
        if starts and small in _AT_START:
            latin = _AT_START[small]
        elif small == "г" and before == "з":  # so that зг is not read as ж
            latin = "gh"
        else:
            latin = _LETTERS.get(small, small)
        out.append(latin.capitalize() if char.isupper() else latin)
        before = small
    return "".join(out)

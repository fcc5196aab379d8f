"""Keep the catalogues (matcher/locale/*/LC_MESSAGES/matcher.po) in step with the code, or say where they are not.

    python scripts/messages.py            # new messages come in untranslated, messages that are gone go
    python scripts/messages.py --check    # change nothing; exit code 1 where something is missing or does not fit

A translator edits the .po file with any editor for gettext catalogues (Poedit, Weblate, a plain one); it is read as it stands.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
LOCALES = ROOT / "matcher" / "locale"
KEYWORDS = {
    **dict.fromkeys(("say", "gettext", "mark", "N_", "_")),
    **dict.fromkeys(("say_n", "ngettext", "forms", "mark_n", "NN_", "n_", "sayN"), (1, 2)),
    "sayIn": (2,),
    "sayInN": (2, 3),
}
IN_F_STRING = re.compile(r"""\bf["'].*\{[^{}]*\bsay(_n)?\(\s*["']""")
SOURCES = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract"), ("**.js", "javascript")]


def in_code() -> Catalog:
    """All messages of the code and the templates."""
    found = Catalog(project="matcher", charset="utf-8")
    rows = extract_from_dir(
        ROOT / "matcher", SOURCES, {"**.html": {"encoding": "utf-8"}}, keywords=KEYWORDS, comment_tags=["Translators:"]
    )  # fmt: skip
    for name, _, message, comments, context in sorted(rows, key=lambda row: (row[0], row[1])):
        found.add(message, locations=[(f"matcher/{name}", 0)], auto_comments=comments, context=context)
    return found


def path_of(lang: str) -> Path:
    """The catalogue of a language."""
    return LOCALES / lang / "LC_MESSAGES" / "matcher.po"


def read(lang: str) -> Catalog:
    """A catalogue as it stands."""
    with path_of(lang).open("rb") as file:
        return read_po(file, locale=lang, domain="matcher")


def update(lang: str, code: Catalog) -> None:
    """Bring a catalogue up to date."""
    known = read(lang) if path_of(lang).exists() else Catalog(locale=lang, domain="matcher")
    known.update(code, no_fuzzy_matching=True, update_header_comment=False, update_creation_date=False)
    known.obsolete.clear()
    known.header_comment = f"# What matcher says, in the language {lang}. Edit msgstr; `make messages` does the rest."
    known.project, known.version, known.fuzzy = "matcher", "", False
    known.last_translator = known.language_team = known.msgid_bugs_address = ""
    path_of(lang).parent.mkdir(parents=True, exist_ok=True)
    with path_of(lang).open("wb") as file:
        write_po(file, known, width=120, sort_output=True, include_lineno=False, ignore_obsolete=True, omit_header=False)


def hidden() -> Iterator[str]:
    """Calls inside f-strings, which no extractor looks into."""
    for path in sorted((ROOT / "matcher").rglob("*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if IN_F_STRING.search(line):
                yield f"matcher/{path.relative_to(ROOT / 'matcher')}:{number}: a message inside an f-string is not found; say it before"


def texts(value: object) -> list[str]:
    """The texts of a message's id or string: one, or its plural forms."""
    return [str(part) for part in value] if isinstance(value, tuple | list) else [str(value or "")]


def placeholders(text: str) -> set[str]:
    """Names in braces."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def wrong(message: Message, known: Catalog) -> Iterator[str]:
    """What is wrong with the translation of one message of the code."""
    there = known.get(message.id, message.context)
    first = texts(message.id)[0]
    if there is None or not all(texts(there.string)):
        yield f"{first!r} is not translated"
        return
    if there.fuzzy:
        yield f"{first!r} is marked fuzzy"
    if isinstance(message.id, tuple | list) and len(texts(there.string)) != known.num_plurals:
        yield f"{first!r} has {len(texts(there.string))} plural forms, the language has {known.num_plurals}"
    wanted = set.union(*map(placeholders, texts(message.id)))
    for text in texts(there.string):
        try:
            differ = placeholders(text) ^ wanted
        except ValueError:
            yield f"{first!r}: a brace is not closed in {text!r}"
            continue
        if differ - ({"n"} if isinstance(message.id, tuple | list) else set()):
            yield f"{first!r}: placeholders differ in {text!r}: {sorted(differ)}"


def faults(lang: str) -> list[str]:
    """Everything that is missing in a catalogue, does not fit, or is left over."""
    code, known = in_code(), read(lang)
    out = list(hidden())
    out += [fault for message in code if message.id for fault in wrong(message, known)]
    wanted = {(texts(m.id)[0], m.context) for m in code}
    return out + [f"{texts(m.id)[0]!r} is no longer in the code" for m in known if m.id and (texts(m.id)[0], m.context) not in wanted]


def main() -> None:
    """Update, or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    found = 0
    for lang in sorted(path.name for path in LOCALES.iterdir() if path.is_dir()):
        if not check:
            update(lang, in_code())
        for fault in faults(lang):
            found += 1
            sys.stdout.write(f"{lang}: {fault}\n")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()

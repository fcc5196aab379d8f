"""An empty instance to fill in: every column explained, coded values as drop-downs, two example rows."""

from __future__ import annotations

import io
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any, Final, Literal, get_args

from matcher.io.columns import SHEETS, Sheet
from matcher.io.csv_out import rows_text
from matcher.io.extras import library
from matcher.io.sources import GUIDES
from matcher.io.workbook_out import CREATED, OPTIONS
from matcher.model import KINDS, Action, MemberRelation, OfferStatus, PlacementStatus, Sex, TieKind, TieRelation
from matcher.places.oblasts import OBLASTS

Lang = Literal["en", "uk"]
LANGS: Final[tuple[Lang, ...]] = get_args(Lang)
EXAMPLE: Final = "EXAMPLE-"
_ROWS: Final = 5_000  # rows below the header that have drop-downs and formats
_WORDS: Final[Mapping[str, Sequence[str]]] = {
    "members.relation": get_args(MemberRelation),
    "members.sex": get_args(Sex),
    "accommodations.adm1": tuple(OBLASTS),
    "accommodations.kind": KINDS,
    "accommodations.vetted": ("yes", "no", "unknown"),
    "accommodations.status": get_args(OfferStatus),
    "ties.relation": get_args(TieRelation),
    "ties.kind": get_args(TieKind),
    "places.adm1": tuple(OBLASTS),
    "placements.status": get_args(PlacementStatus),
    "overrides.action": get_args(Action),
}
_TITLES: Final[Mapping[Lang, Sequence[str]]] = {
    "en": ("sheet", "column", "must be filled", "meaning", "allowed", "example"),
    "uk": ("аркуш", "стовпець", "обов'язковий", "значення", "дозволено", "приклад"),
}
_NEEDED: Final[Mapping[Lang, Mapping[str, str]]] = {
    "en": {"yes": "yes", "one": "one of several", "no": ""},
    "uk": {"yes": "так", "one": "одне з кількох", "no": ""},
}
_FIRST: Final[Mapping[Lang, Sequence[str]]] = {
    "en": (
        "Fill in the sheets households and accommodations; the others are optional and may stay empty or be deleted.",
        f"Delete the two example rows of every sheet (ids that begin with {EXAMPLE}). Do not rename sheets or columns. Dates: 2026-11-22.",
        "Then: matcher validate FILE, and matcher solve FILE --out RESULTS. No names, phone numbers or addresses of people, please.",
    ),
    "uk": (
        "Заповніть аркуші households і accommodations; інші необов'язкові, їх можна лишити порожніми або видалити.",
        f"Видаліть два рядки-приклади з кожного аркуша (коди на {EXAMPLE}). Не перейменовуйте аркушів і стовпців. Дати: 2026-11-22.",
        "Потім: matcher validate ФАЙЛ і matcher solve ФАЙЛ --out РЕЗУЛЬТАТИ. Без імен, телефонів і адрес людей, будь ласка.",
    ),
}
_LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    "households.persons": (1, 50),
    "households.priority": (1, 5),
    "members.age": (0, 130),
    "accommodations.risk": (0, 1),
}
_DEGREES: Final[Mapping[str, tuple[float, float]]] = {"lat": (-90, 90), "lon": (-180, 180)}
_MOST: Final = 1_000_000_000
_INPUT_TITLE, _INPUT_TEXT = 32, 255  # the longest that spreadsheets show beside a cell


@dataclass(frozen=True, slots=True)
class Explained:
    """A column of a template. kind: as in columns.toml. choices: the words that it allows, if it is one of these alone."""

    sheet: str
    name: str
    kind: str
    meaning: str
    needed: Literal["yes", "one", "no"]
    choices: tuple[str, ...]
    examples: tuple[str, ...]


def explained(lang: Lang) -> dict[str, tuple[Explained, ...]]:
    """Every column of every file of the format, in the order of the template."""
    data = _data()
    return {name: tuple(_column(name, column, data[name][column], lang) for column in _names(data[name])) for name in SHEETS}


def purposes(lang: Lang) -> dict[str, str]:
    """What each file of the format is for."""
    data = _data()
    return {name: data[name][lang] for name in SHEETS}


def template_files(lang: Lang) -> dict[str, str]:
    """A template as a folder: CSV files with the two example rows, and README.md with the explanations."""
    columns = explained(lang)
    out = {f"{name}.csv": rows_text([c.name for c in of_sheet], _examples(of_sheet)) for name, of_sheet in columns.items()}
    lines = [*_FIRST[lang], ""]
    for name, purpose in purposes(lang).items():
        lines += [f"## {name}.csv", "", purpose, "", "| " + " | ".join(_TITLES[lang][1:]) + " |", "|---" * 5 + "|"]
        lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in _guide_row(c, lang)[1:]) + " |" for c in columns[name]]
        lines.append("")
    return {**out, "README.md": "\n\n".join(lines[:3]) + "\n" + "\n".join(lines[3:])}


def template_workbook(lang: Lang) -> bytes:
    """A template as a workbook. Raises UsageError where this build lacks the extra."""
    writer = library("xlsxwriter", "xlsx")
    buffer = io.BytesIO()
    with writer.Workbook(buffer, OPTIONS) as book:
        book.set_properties({"title": "shelter-matcher", "created": CREATED})
        columns = explained(lang)
        _write_guide(book, columns, lang)
        for name, of_sheet in columns.items():
            _write_sheet(book, name, of_sheet)
        book.get_worksheet_by_name("households").activate()
    return buffer.getvalue()


def _data() -> dict[str, Any]:
    return tomllib.loads(files("matcher.io").joinpath("guide/columns.toml").read_text(encoding="utf-8"))


def _names(of_sheet: Mapping[str, Any]) -> list[str]:
    return [name for name, value in of_sheet.items() if isinstance(value, dict)]


def _column(sheet: str, name: str, data: Mapping[str, Any], lang: Lang) -> Explained:
    choices = ("yes", "no") if data["kind"] == "yes_no" else tuple(_WORDS.get(f"{sheet}.{name}", ()))
    examples = tuple(data.get("examples", ("", "")))
    return Explained(sheet, name, data["kind"], data[lang], _needed(SHEETS[sheet], name), choices, examples)


def _needed(sheet: Sheet, column: str) -> Literal["yes", "one", "no"]:
    for ways in sheet.required:
        if any(column in way for way in ways):
            return "yes" if len(ways) == 1 else "one"
    return "no"


def _examples(columns: Sequence[Explained]) -> list[list[str]]:
    return [[column.examples[row] for column in columns] for row in range(2)]


def _guide_row(column: Explained, lang: Lang) -> list[str]:
    allowed = " ".join(column.choices)
    example = next((cell for cell in column.examples if cell), "")
    return [column.sheet, column.name, _NEEDED[lang][column.needed], column.meaning, allowed, example]


def _write_guide(book: Any, columns: Mapping[str, Sequence[Explained]], lang: Lang) -> None:
    page = book.add_worksheet(GUIDES[LANGS.index(lang)])
    head = book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1})
    bold, wrap = (book.add_format({"text_wrap": True, "valign": "top", **more}) for more in ({"bold": True}, {}))
    for position, width in enumerate((18, 24, 16, 90, 40, 24)):
        page.set_column(position, position, width, wrap)
    for row, sentence in enumerate(_FIRST[lang]):
        page.write_string(row, 0, sentence, book.add_format({"text_wrap": False}))
    top = len(_FIRST[lang]) + 1
    for position, title in enumerate(_TITLES[lang]):
        page.write_string(top, position, title, head)
    row = top + 1
    for name, purpose in purposes(lang).items():
        page.write_string(row, 0, name, bold)
        page.write_string(row, 3, purpose, bold)
        for row, column in enumerate(columns[name], start=row + 1):  # noqa: B020  (goes on below the purpose)
            for position, cell in enumerate(_guide_row(column, lang)):
                page.write_string(row, position, cell, wrap)
        row += 1
    page.freeze_panes(top + 1, 0)


def _write_sheet(book: Any, name: str, columns: Sequence[Explained]) -> None:
    page = book.add_worksheet(name)
    head = {
        needed: book.add_format({"bold": True, "bg_color": color, "border": 1})
        for needed, color in (("yes", "#F8CBAD"), ("one", "#FFE699"), ("no", "#DCE6F1"))
    }
    # Text for ids keeps 007 as it is; text for everything else that is not a number or a date, so that nothing is turned into one.
    forms = {kind: book.add_format({"num_format": form}) for kind, form in (("date", "yyyy-mm-dd"), ("whole", "0"), ("number", "General"))}
    text = book.add_format({"num_format": "@"})
    for position, column in enumerate(columns):
        form = forms.get(column.kind, text)
        page.set_column(position, position, max(12, len(column.name) + 3), form)
        page.write_string(0, position, column.name, head[column.needed])
        page.data_validation(1, position, _ROWS, position, _validation(column))
        for row, cell in enumerate(column.examples):
            _write_cell(page, row + 1, position, column.kind, cell, form)
    page.freeze_panes(1, 1)


def _write_cell(page: Any, row: int, position: int, kind: str, cell: str, form: Any) -> None:
    if not cell:
        return
    if kind == "date":
        page.write_datetime(row, position, date.fromisoformat(cell), form)
    elif kind in ("whole", "number"):
        page.write_number(row, position, float(cell), form)
    else:
        page.write_string(row, position, cell, form)


def _validation(column: Explained) -> dict[str, Any]:
    """What a spreadsheet checks and shows while a cell is filled in. A stop only where no other value could be right."""
    low, high = _LIMITS.get(f"{column.sheet}.{column.name}", _DEGREES.get(column.name, (0, _MOST)))
    ranges = {"criteria": "between", "minimum": low, "maximum": high}
    checks: Mapping[str, dict[str, Any]] = {
        "whole": {"validate": "integer", **ranges},
        "number": {"validate": "decimal", **ranges},
        "date": {"validate": "date", "criteria": "between", "minimum": date(1900, 1, 1), "maximum": date(2199, 12, 31)},
    }
    check = {"validate": "list", "source": list(column.choices)} if column.choices else checks.get(column.kind, {"validate": "any"})
    text = column.meaning if len(column.meaning) <= _INPUT_TEXT else column.meaning[: _INPUT_TEXT - 1] + "…"
    return {
        **check,
        "ignore_blank": True,
        "input_title": column.name[:_INPUT_TITLE],
        "input_message": text,
        "error_title": column.name[:_INPUT_TITLE],
    }

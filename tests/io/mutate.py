"""Folders with something odd in them: files of an instance, changed by chance in ways that readers stumble over."""

from __future__ import annotations

import random
from collections.abc import Callable

Files = dict[str, str]

ODD_CELLS = (
    "", " ", "x", "0", "-1", "3", "1.5", "1.50", "1,5", "1e3", "٣", "yes", "NO", "maybe", "unknown", "2026-13-01",
    "2026-11-22", "2026-11-23", '"', '"a', 'a"b', '"a""b"', '"a\nb"', '"a\r\nb,"', "H001", "H1", "H0O1", "A001", "A1",
    "'=x", "''=x", "' =x", "'\t1", "'-1", "=1", "#tag", "Kharkiv", "Київ", "Nowhereville", "P1", "Transit", "UA46",
    "UA-63", "PL14", "near", "apart", "same_site", "same_place", "moved_in", "accepted", "pin", "hold",
    "hotel host_family", "step_free;LIFT", "uk,ru", "uk xyz", "\0", "\u2028", "a b", " padded ", "9" * 40, "\u00a0",
    "2 2 4",
)  # fmt: skip


def mutated(files: Files, rng: random.Random, count: int) -> Files:
    """The files after so many changes. A name with a suffix is that of a file, any other that of a sheet."""
    files = dict(files)
    for _ in range(count):
        rng.choice(_CHANGES)(files, rng)
    return files


def _sheet(files: Files, rng: random.Random) -> str:
    return rng.choice(sorted(files))


def _lines(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.split("\n")]


def _text(lines: list[list[str]]) -> str:
    return "\n".join(map(",".join, lines))


def _rows(change: Callable[[list[list[str]], random.Random], None]) -> Callable[[Files, random.Random], None]:
    """A change of the lines of one file."""

    def changed(files: Files, rng: random.Random) -> None:
        if files:
            sheet = _sheet(files, rng)
            lines = _lines(files[sheet])
            change(lines, rng)
            files[sheet] = _text(lines)

    return changed


def _any(lines: list[list[str]], rng: random.Random) -> list[str]:
    return rng.choice(lines[1:] or lines)


def _odd_cell(lines: list[list[str]], rng: random.Random) -> None:
    row = _any(lines, rng)
    row[rng.randrange(len(row))] = rng.choice(ODD_CELLS)


def _moved_cell(lines: list[list[str]], rng: random.Random) -> None:
    one, other = _any(lines, rng), _any(lines, rng)
    one[rng.randrange(len(one))] = rng.choice(other)


def _same_cell(lines: list[list[str]], rng: random.Random) -> None:
    one, other = _any(lines, rng), _any(lines, rng)
    position = rng.randrange(min(len(one), len(other)))
    one[position] = other[position]


def _padded(lines: list[list[str]], rng: random.Random) -> None:
    row = _any(lines, rng)
    position = rng.randrange(len(row))
    row[position] = rng.choice((" {}", "{}\t", '"{}"', "'{}", "{}x")).format(row[position])


def _copied_row(lines: list[list[str]], rng: random.Random) -> None:
    lines.insert(rng.randint(1, len(lines)), list(_any(lines, rng)))


def _empty_row(lines: list[list[str]], rng: random.Random) -> None:
    lines.insert(rng.randint(0, len(lines)), rng.choice(([""], [" ", ""], [""] * len(lines[0]), [" "] * len(lines[0]))))


def _tags(lines: list[list[str]], rng: random.Random) -> None:
    lines.insert(rng.choice((1, 1, 1, 2)), ["#t"] * (len(lines[0]) - rng.choice((0, 0, 1))) + [""] * rng.choice((0, 0, 1)))


def _width(lines: list[list[str]], rng: random.Random) -> None:
    row = rng.choice(lines)
    if rng.random() < 0.5:
        row.pop(rng.randrange(len(row)))
    else:
        row.insert(rng.randint(0, len(row)), rng.choice(ODD_CELLS))


def _new_column(lines: list[list[str]], rng: random.Random) -> None:
    name = rng.choice(("phone", "notes", "PERSONS", "capacity_x", "capacity_Step_Free", "cost_km", ""))
    for position, row in enumerate(lines):
        row.append(rng.choice(ODD_CELLS) if position and rng.random() < 0.3 else "" if position else name)


def _lost_column(lines: list[list[str]], rng: random.Random) -> None:
    position = rng.randrange(len(lines[0]))
    for row in lines:
        if position < len(row) > 1:
            row.pop(position)


def _shuffled(lines: list[list[str]], rng: random.Random) -> None:
    rows = lines[1:]
    rng.shuffle(rows)
    lines[1:] = rows


def _quoted(lines: list[list[str]], rng: random.Random) -> None:
    lines[:] = [[f'"{cell}"' if '"' not in cell else cell for cell in row] for row in lines]


def _delimiter(files: Files, rng: random.Random) -> None:
    if files:
        sheet = _sheet(files, rng)
        files[sheet] = files[sheet].replace(";", " ").replace(",", ";")


def _line_ends(files: Files, rng: random.Random) -> None:
    if files:
        sheet = _sheet(files, rng)
        files[sheet] = files[sheet].replace("\n", rng.choice(("\r\n", "\r", "\n\n")))


def _lost_file(files: Files, rng: random.Random) -> None:
    if files:
        files.pop(_sheet(files, rng))


def _other_name(files: Files, rng: random.Random) -> None:
    if files:
        sheet = _sheet(files, rng)
        files[rng.choice((sheet.capitalize() + ".csv", "extra.csv"))] = files[sheet] if rng.random() < 0.5 else files.pop(sheet)


def _mark(files: Files, rng: random.Random) -> None:
    if files:
        sheet = _sheet(files, rng)
        files[sheet] = rng.choice(("\ufeff", "\ufeff\n", "\ufffe")) + files[sheet]


_CHANGES: tuple[Callable[[Files, random.Random], None], ...] = (
    *map(_rows, [_odd_cell] * 8 + [_moved_cell, _same_cell] * 5 + [_padded] * 3 + [_copied_row] * 3 + [_empty_row, _width, _shuffled] * 2),
    *map(_rows, [_tags, _new_column, _lost_column, _quoted]),
    _delimiter, _line_ends, _lost_file, _other_name, _mark,
)  # fmt: skip

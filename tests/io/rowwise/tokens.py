"""From bytes to records: decoding, and RFC 4180 with recovery, so that one broken row never takes others with it.

`csv.reader` is not used because it forgives: it merges the rest of a file into one cell after an unclosed quote, and takes
`"ab"c` for `abc`. Neither would be a fault there, and a merged row is a household that silently disappears.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from matcher.errors import UsageError

_LINE_END = re.compile(r"\r\n|\n|\r")
_WIDE_BOMS = ((b"\xff\xfe", "UTF-16 or UTF-32"), (b"\xfe\xff", "UTF-16"), (b"\x00\x00\xfe\xff", "UTF-32"))
_FILLING = ' \t,;"\u00a0'
_UTF8_BOM = b"\xef\xbb\xbf"


class Undecodable(Exception):
    """The bytes are not text in the declared encoding. line: 1-based; message: with the byte offset and what to do."""

    def __init__(self, line: int, message: str) -> None:
        self.line = line
        self.message = message
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a delimited text.

    line: 1-based physical line it starts on. cells: as written, quotes taken off. problem: code of what is wrong with its
    quotes ("" if nothing); the cells are then only the line cut at its delimiters. last_line: the line it ends on.
    """

    line: int
    cells: tuple[str, ...]
    problem: str = ""
    last_line: int = 0


def check_encoding(encoding: str) -> None:
    """Raise UsageError if Python knows no text encoding of this name."""
    try:
        "a".encode(encoding)
    except (LookupError, ValueError) as error:
        raise UsageError(f"there is no text encoding {encoding[:40]!r}; examples: utf-8, cp1251, koi8-u, utf-16") from error


def decode(data: bytes, encoding: str) -> str:
    """The text of a file, without a byte order mark. Raises Undecodable; an encoding is never guessed."""
    declared_utf8 = codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
    if declared_utf8:
        for bom, name in _WIDE_BOMS:
            if data.startswith(bom):
                raise Undecodable(1, f"byte 0 is not UTF-8: this looks like {name}; save it as UTF-8, or read it with --encoding utf-16")
    elif data.startswith(_UTF8_BOM):
        raise Undecodable(1, f"byte 0 starts a UTF-8 mark, but the encoding was declared as {encoding}; leave --encoding out for this file")
    try:
        text = data.decode("utf-8" if declared_utf8 else encoding)
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = data.count(b"\n", 0, start) + 1
        if declared_utf8:
            hint = "is not UTF-8: save the file as UTF-8, or name its encoding (--encoding cp1251 reads it as declared)"
        else:
            hint = f"is not {encoding}, the encoding that was declared"
        raise Undecodable(line, f"byte {start} {hint}") from error
    return text.removeprefix("\ufeff")


def is_blank(cells: Iterable[str]) -> bool:
    """Whether a line before the header is an empty one, whichever the delimiter is."""
    return not any(cell.strip(_FILLING) for cell in cells)


def split_records(text: str, delimiter: str) -> Iterator[Record]:
    """The records of a text, in order. The first one is the header and gives the width that others are judged by.

    A record whose quotes are broken, or that spans several lines and has another width than the header, is reported on its
    first line alone, and reading goes on at the next physical line: an open quote must not swallow sound rows.
    """
    lines = _Lines(text)
    width = 0
    number = 0
    while number < lines.count:
        record, last = _record(lines, number, delimiter)
        if width and last > number and (record.problem or len(record.cells) != width):
            raw = lines.text_of(number)
            record = Record(number + 1, _rough_cells(raw, delimiter), record.problem or "unclosed_quote", number + 1)
            last = number
        if not width and not is_blank(record.cells):
            width = len(record.cells)
        yield record
        number = last + 1


class _Lines:
    """Where the physical lines of a text start and end. Only CR LF, LF and CR end a line; U+2028 and the like are text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0]
        self.ends: list[int] = []
        for match in _LINE_END.finditer(text):
            self.ends.append(match.start())
            self.starts.append(match.end())
        self.ends.append(len(text))
        if self.starts[-1] == len(text):  # the file ends with a line end: no further line
            self.starts.pop()
            self.ends.pop()

    @property
    def count(self) -> int:
        """Number of physical lines."""
        return len(self.starts)

    def text_of(self, number: int) -> str:
        """One line without its end; number counts from 0."""
        return self.text[self.starts[number] : self.ends[number]]


def _record(lines: _Lines, number: int, delimiter: str) -> tuple[Record, int]:
    """The record that starts on a line, and the line that it ends on (counted from 0)."""
    line = lines.text_of(number)
    if '"' not in line:
        return Record(number + 1, tuple(line.split(delimiter)), "", number + 1), number
    cells: list[str] = []
    position, last = lines.starts[number], number
    while True:
        if lines.text.startswith('"', position):
            close = _closing_quote(lines.text, position + 1)
            if close < 0:
                return _broken(lines, number, delimiter, "unclosed_quote")
            while close >= lines.ends[last]:  # the cell has line ends of its own
                last += 1
            end = close + 1
            if end < lines.ends[last] and lines.text[end] != delimiter:
                # Text after a closing quote on a later line: most likely the opening quote of another row.
                return _broken(lines, number, delimiter, "unclosed_quote" if last > number else "stray_quote")
            cells.append(lines.text[position + 1 : close].replace('""', '"'))
        else:
            end = lines.text.find(delimiter, position, lines.ends[last])
            end = lines.ends[last] if end < 0 else end
            cell = lines.text[position:end]
            if '"' in cell:
                return _broken(lines, number, delimiter, "unclosed_quote" if last > number else "stray_quote")
            cells.append(cell)
        if end >= lines.ends[last]:
            return Record(number + 1, tuple(cells), "", last + 1), last
        position = end + 1


def _closing_quote(text: str, position: int) -> int:
    """Where the quoted cell that begins at position ends, or -1; a doubled quote is a quote of the text."""
    while True:
        close = text.find('"', position)
        if close < 0 or not text.startswith('"', close + 1):
            return close
        position = close + 2


def _broken(lines: _Lines, number: int, delimiter: str, problem: str) -> tuple[Record, int]:
    return Record(number + 1, _rough_cells(lines.text_of(number), delimiter), problem, number + 1), number


def _rough_cells(line: str, delimiter: str) -> tuple[str, ...]:
    """The cells of a line whose quotes cannot be trusted: only to recognise an id that others may name."""
    return tuple(cell.strip().strip('"') for cell in line.split(delimiter))

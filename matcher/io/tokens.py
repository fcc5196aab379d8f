"""From bytes to records: decoding, and RFC 4180 with recovery, so that one broken row never takes others with it.

`csv.reader` is not trusted because it forgives: it merges the rest of a file into one cell after an unclosed quote, and takes
`"ab"c` for `abc`. Neither would be a fault there, and a merged row is a household that silently disappears. It only gets lines
that are known to be sound.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import repeat

from matcher.errors import UsageError

_LINE_END = re.compile(r"\r\n|\n|\r")
_WIDE_BOMS = ((b"\xff\xfe", "UTF-16 or UTF-32"), (b"\xfe\xff", "UTF-16"), (b"\x00\x00\xfe\xff", "UTF-32"))
_FILLING = ' \t,;"\u00a0'
_UTF8_BOM = b"\xef\xbb\xbf"
_CSV_LIMIT = 100_000  # longer cells are refused by csv.reader
_BATCH_LENGTH = 1 << 20
_BATCH_ROWS = 8192


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
    reader = RecordReader(text, delimiter)
    while not reader.done:
        yield reader.record()


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that follow one another. lines: of those as wide as the header, and columns: their cells; odd: all others."""

    lines: Sequence[int]
    columns: Sequence[Sequence[str]]
    odd: Sequence[Record] = ()


class RecordReader:
    """Goes through a text record by record, or batch by batch. width: cells of the header, 0 before it was read.

    Only CR LF, LF and CR end a line; U+2028 and the like are text.
    """

    def __init__(self, text: str, delimiter: str) -> None:
        self.text = text
        self.delimiter = delimiter
        self.width = 0
        self._position = 0
        self._line = 1
        self._next_end = {"\n": -1, "\r": -1}
        self._sound = _sound_line(delimiter)

    @property
    def done(self) -> bool:
        """Whether there is no further record. A line end at the end of the text begins no line."""
        return self._position >= len(self.text)

    def record(self) -> Record:
        """The next record."""
        start, number = self._position, self._line
        end, after = self._line_end(start)
        line = self.text[start:end]
        if '"' not in line:
            record = Record(number, tuple(line.split(self.delimiter)), "", number)
        elif len(line) <= _CSV_LIMIT and self._sound.fullmatch(line):
            record = Record(number, tuple(next(csv.reader((line,), delimiter=self.delimiter))), "", number)
        else:
            record, last_after = self._quoted(start, end, after)
            if self.width and record.last_line > number and (record.problem or len(record.cells) != self.width):
                record = self._broken(line, record.problem or "unclosed_quote")
            elif not record.problem:
                after = last_after
        if not self.width and not is_blank(record.cells):
            self.width = len(record.cells)
        self._position, self._line = after, record.last_line + 1
        return record

    def batches(self) -> Iterator[Batch]:
        """The rest of the text, below the header. Lines without a quote are cut many at a time."""
        pending = _Pending(self.width)
        while not self.done:
            first, plain = self._line, self._plain_lines()
            if set(map(str.count, plain, repeat(self.delimiter))) == {self.width - 1}:
                pending.add_many(first, len(plain), self.delimiter.join(plain).split(self.delimiter))
            elif plain:
                for number, line in enumerate(plain, start=first):
                    pending.add(Record(number, tuple(line.split(self.delimiter)), "", number))
            else:
                pending.add(self.record())
            if pending.size >= _BATCH_ROWS:
                yield pending.batch()
                pending = _Pending(self.width)
        if pending.size:
            yield pending.batch()

    def _plain_lines(self) -> list[str]:
        """The next lines up to one with a quote, at most about `_BATCH_LENGTH` characters; none where the next line has one."""
        text, start = self.text, self._position
        end = text.find("\n", start + _BATCH_LENGTH) + 1 or len(text)
        quote = text.find('"', start, end)
        if quote >= 0:
            end = max(start, text.rfind("\n", start, quote) + 1, text.rfind("\r", start, quote) + 1)
        part = text[start:end]
        if "\r" in part:
            part = part.replace("\r\n", "\n").replace("\r", "\n")
        lines = part.split("\n")
        if not lines[-1]:
            lines.pop()  # the last line ends with a line end
        self._position, self._line = end, self._line + len(lines)
        return lines

    def _line_end(self, start: int) -> tuple[int, int]:
        """(end of the line that begins at start, where the next one begins)."""
        for mark, position in self._next_end.items():
            if position < start:
                found = self.text.find(mark, start)
                self._next_end[mark] = len(self.text) if found < 0 else found
        end = min(self._next_end.values())
        return end, end + (2 if self.text.startswith("\r\n", end) else 1)

    def _quoted(self, start: int, end: int, after: int) -> tuple[Record, int]:
        """The record of a line with quotes, cell by cell: (record, where the next line begins). end, after: of its first line."""
        text, delimiter = self.text, self.delimiter
        first, number, last = text[start:end], self._line, self._line
        cells: list[str] = []
        position = start
        while True:
            if text.startswith('"', position):
                close = _closing_quote(text, position + 1)
                if close < 0:
                    return self._broken(first, "unclosed_quote"), after
                while close >= end:  # the cell has line ends of its own
                    last += 1
                    ending = _LINE_END.search(text, after)
                    end, after = ending.span() if ending else (len(text), len(text))
                stop = close + 1
                if stop < end and text[stop] != delimiter:
                    # Text after a closing quote on a later line: most likely the opening quote of another row.
                    return self._broken(first, "unclosed_quote" if last > number else "stray_quote"), after
                cells.append(text[position + 1 : close].replace('""', '"'))
            else:
                stop = text.find(delimiter, position, end)
                stop = end if stop < 0 else stop
                cell = text[position:stop]
                if '"' in cell:
                    return self._broken(first, "unclosed_quote" if last > number else "stray_quote"), after
                cells.append(cell)
            if stop >= end:
                return Record(number, tuple(cells), "", last), after
            position = stop + 1

    def _broken(self, line: str, problem: str) -> Record:
        return Record(self._line, _rough_cells(line, self.delimiter), problem, self._line)


class _Pending:
    """A batch that grows. width: cells of the header."""

    def __init__(self, width: int) -> None:
        self._lines: list[int] = []
        self._columns: list[list[str]] = [[] for _ in range(width)]
        self._odd: list[Record] = []

    @property
    def size(self) -> int:
        """Records so far."""
        return len(self._lines) + len(self._odd)

    def add(self, record: Record) -> None:
        """One record."""
        if record.problem or len(record.cells) != len(self._columns):
            self._odd.append(record)
            return
        self._lines.append(record.line)
        for column, cell in zip(self._columns, record.cells, strict=True):
            column.append(cell)

    def add_many(self, first: int, count: int, cells: Sequence[str]) -> None:
        """As many rows, one a line from the first on, all as wide as the header. cells: row after row."""
        self._lines.extend(range(first, first + count))
        for position, column in enumerate(self._columns):
            column.extend(cells[position :: len(self._columns)])

    def batch(self) -> Batch:
        """What was added."""
        return Batch(self._lines, self._columns, self._odd)


@cache
def _sound_line(delimiter: str) -> re.Pattern[str]:
    """A line whose quotes are all as RFC 4180 wants them; `csv.reader` may be trusted with it."""
    cell = rf'(?:"(?:[^"]++|"")*+"|[^"{delimiter}]*+)'
    return re.compile(rf"{cell}(?:{delimiter}{cell})*+")


def _closing_quote(text: str, position: int) -> int:
    """Where the quoted cell that begins at position ends, or -1; a doubled quote is a quote of the text."""
    while True:
        close = text.find('"', position)
        if close < 0 or not text.startswith('"', close + 1):
            return close
        position = close + 2


def _rough_cells(line: str, delimiter: str) -> tuple[str, ...]:
    """The cells of a line whose quotes cannot be trusted: only to recognise an id that others may name."""
    return tuple(cell.strip().strip('"') for cell in line.split(delimiter))

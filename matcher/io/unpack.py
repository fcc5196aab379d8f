"""A workbook unpacked under limits, before any library looks at it.

A workbook is a zip archive of XML. Small archives can unpack to more than a machine holds, XML can multiply itself, two cells at
opposite corners make a dense table of billions, and macros and links to other files have no business in data. So every part is
inflated here under a count of bytes, entities are refused, and only the parts with cells are packed again, as they were counted.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from matcher.io.sheet_scan import LIMITS, MIB, BadWorkbook, Limits, SheetScan, parse, sheet_names, string_lengths

_PLAIN_PART = re.compile(r"(\[Content_Types\]\.xml|_rels/[^/]*\.rels|xl/.+\.(xml|rels))", re.IGNORECASE)
# What no table needs. Left out unread: macros, controls, other workbooks, pictures, remarks.
_LEFT_OUT = re.compile(
    r"xl/(activeX|calcChain|charts|comments|ctrlProps|drawings|embeddings|externalLinks|media|pivot|printerSettings|theme|threaded)", re.I
)
# Newer kinds of error (#SPILL! …) are unknown to the reader, which would refuse the workbook. All are alike here.
_ERROR = re.compile(rb"(<(?:\w+:)?c\b[^>]*\bt=[\"']e[\"'][^>]*>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>)[^<]*", re.DOTALL)
_MACROS = re.compile(r"xl/(vbaProject|macrosheets|activeX)", re.IGNORECASE)
_LINKS = re.compile(r"xl/(externalLinks|connections|queryTables)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What is left of a workbook.

    data: a zip archive with the parts that were counted. spoilt: by sheet, cells that hold an error or a formula without a value:
    (row, column) from 1, and what is wrong. sheets: those whose cells were looked at. macros, links: parts that were left out.
    """

    data: bytes
    sheets: frozenset[str] = frozenset()
    spoilt: Mapping[str, Mapping[tuple[int, int], str]] = field(default_factory=dict)
    macros: bool = False
    links: bool = False


def unpack(path: Path, limits: Limits = LIMITS) -> Unpacked:
    """The parts of a workbook that hold its cells. Raises BadWorkbook, and OSError where the file cannot be read."""
    if path.stat().st_size > limits.packed:
        raise BadWorkbook("too_large", f"the workbook has more than {limits.packed // MIB} MiB: use CSV or Parquet files for that much")
    content = path.read_bytes()
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise BadWorkbook("bad_workbook", "this is an old .xls file, or it has a password: save it as .xlsx without a password")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = _parts(archive, content, limits)
            names = archive.namelist()
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError, EOFError) as error:
        raise BadWorkbook("bad_workbook", "this is no .xlsx workbook, or it is damaged: open it and save it again") from error
    sheets = sheet_names(parts)
    spoilt: dict[str, Mapping[tuple[int, int], str]] = {}
    lengths, left = string_lengths(parts), limits.characters
    for name, data in list(parts.items()):
        scan = SheetScan(limits, lengths, left)
        parse(data, scan)
        left = scan.left
        if scan.spoilt and name.casefold() in sheets:
            spoilt[sheets[name.casefold()]] = scan.spoilt
            parts[name] = _ERROR.sub(rb"\1#N/A", data)
    macros, links = (any(kind.match(name) for name in names) for kind in (_MACROS, _LINKS))
    scanned = frozenset(sheet for part, sheet in sheets.items() if part in {name.casefold() for name in parts})
    return Unpacked(_packed(parts), scanned, spoilt, macros, links)


def _parts(archive: zipfile.ZipFile, content: bytes, limits: Limits) -> dict[str, bytes]:
    """The parts that are kept, inflated byte by counted byte: what a header says of a size is not believed."""
    found: dict[str, bytes] = {}
    left = limits.unpacked
    if len(archive.infolist()) > limits.parts:
        raise BadWorkbook("too_large", f"the workbook has more than {limits.parts} parts")
    for part in archive.infolist():
        name = part.filename
        if not _PLAIN_PART.fullmatch(name) or _LEFT_OUT.match(name):
            continue
        if part.flag_bits & 1:
            raise BadWorkbook("bad_workbook", "the workbook has a password: save it without one")
        if name.casefold() in {other.casefold() for other in found}:
            raise BadWorkbook("bad_workbook", f"the workbook has the part {name!r} twice: open it and save it again")
        found[name] = _inflated(part, content, left)
        left -= len(found[name])
    return found


def _inflated(part: zipfile.ZipInfo, content: bytes, left: int) -> bytes:
    start = part.header_offset
    if content[start : start + 4] != b"PK\3\4":
        raise zipfile.BadZipFile("no part where one should be")
    start += 30 + int.from_bytes(content[start + 26 : start + 28], "little") + int.from_bytes(content[start + 28 : start + 30], "little")
    packed = memoryview(content)[start : start + part.compress_size]
    if part.compress_type == zipfile.ZIP_STORED:
        data, more = bytes(packed[: left + 1]), len(packed) > left
    elif part.compress_type == zipfile.ZIP_DEFLATED:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        data = inflate.decompress(packed, left + 1)
        more = len(data) > left
        if not more and not inflate.eof:
            raise zipfile.BadZipFile("a part ends too early")
    else:
        raise zipfile.BadZipFile("a part is packed in an unusual way")
    if more:
        raise BadWorkbook(
            "too_large", "the workbook unpacks to more than is read: it is damaged, made to do harm, or too large for a workbook"
        )
    if zlib.crc32(data) != part.CRC:
        raise zipfile.BadZipFile("a part is damaged")
    return data


def _packed(parts: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()

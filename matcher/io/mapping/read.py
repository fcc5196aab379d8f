"""An export read by a mapping, together with what it has in the format already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from matcher.errors import Fault, InputError
from matcher.io.codebook import Codebooks
from matcher.io.columns import SHEETS
from matcher.io.mapping.build import Mapped, map_tables
from matcher.io.mapping.source import read_source
from matcher.io.mapping.spec import MappingFile, read_mapping
from matcher.io.tables import Table
from matcher.model import Notice

_HINT = "the mapping does not make it, and the source does not have it: put it there, or name a folder or workbook that has it with --with"


@dataclass(frozen=True, slots=True)
class MappedSource:
    """Tables of the format: those that the mapping made, those that the source had as they are, and those from elsewhere."""

    tables: dict[str, Table]
    notices: tuple[Notice, ...]
    mapping: MappingFile
    mapped: Mapped
    as_they_are: tuple[str, ...]


def mapped_source(
    source: Path,
    mapping: Path | str,
    encoding: str,
    books: Codebooks,
    *,
    others: Path | str | None = None,
    day: date | None = None,
    complete: bool = True,
) -> MappedSource:
    """All tables of an instance that a mapping makes of an export, and the rest of it. Raises InputError and UsageError.

    others: as of `read_instance`. complete: what every instance needs must be there.
    """
    from matcher.io.read import with_others

    found = read_mapping(mapping)
    export = read_source(source, encoding)
    mapped = map_tables(found, export, books, day)
    chosen = {name for name, _ in mapped.used}
    named = {name.strip().casefold().removesuffix(".csv") for name in set(export) - chosen}
    as_they_are = _as_they_are(source, encoding, books, set(mapped.tables), chosen) if named & set(SHEETS) else {}
    tables, notices = {**mapped.tables, **as_they_are}, list(mapped.notices)
    if others is not None:
        tables, notices = with_others(tables, notices, Path(others), encoding, books)
    missing = [name for name in ("households", "accommodations") if name not in tables]
    if missing and complete:
        raise InputError([Fault(f"{name}.csv", 0, "", "file_missing", _HINT) for name in missing])
    return MappedSource(tables, tuple(notices), found, mapped, tuple(as_they_are))


def _as_they_are(source: Path, encoding: str, books: Codebooks, made: set[str], chosen: set[str]) -> Mapping[str, Table]:
    """Tables that stand in the source under names of the format, that the mapping neither makes nor reads."""
    from matcher.io.read import format_tables

    if source.is_file() and source.suffix.lower() != ".xlsx":
        return {}
    tables, _ = format_tables(source, encoding, books)
    return {name: table for name, table in tables.items() if name in SHEETS and name not in made and name not in chosen}

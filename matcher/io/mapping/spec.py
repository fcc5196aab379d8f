"""A mapping file: which tables it looks for, its lists of codes, and what each table of the format is made from."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from matcher.errors import Fault, InputError, UsageError
from matcher.io.columns import SHEETS

_TOP: Final = frozenset({"title", "extends", "tables", "recodes", *SHEETS})
_TABLE: Final = frozenset({"name", "has", "lacks", "optional"})
_BLOCK: Final = frozenset({"from", "where", "one", "many", "group", "lead", "no_lead", "columns"})
_JOIN: Final = frozenset({"table", "here", "there", "required", "one"})
_SUFFIX: Final = ".toml"
_NO_LEAD: Final = "no row of this household is its head"


@dataclass(frozen=True, slots=True)
class Join:
    """Rows of another table that belong to a row: those whose `there` has what its `here` has."""

    table: str
    here: str
    there: str
    required: bool
    one: Mapping[str, Join]


@dataclass(frozen=True, slots=True)
class Block:
    """What the rows of one table of the format are made from: a row for each row of a source table, or for each group of them.

    no_lead: what to say of a group in which no row leads.
    """

    sheet: str
    path: str
    table: str
    where: Any
    one: Mapping[str, Join]
    many: Mapping[str, Join]
    group: Any
    lead: Any
    no_lead: str
    columns: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A mapping. name: for messages. tables: how to find each table of a source, by alias."""

    name: str
    title: str
    tables: Mapping[str, Mapping[str, Any]]
    recodes: Mapping[str, Mapping[str, str]]
    blocks: Sequence[Block]


def shipped() -> list[str]:
    """Names of the mappings that come with the program."""
    return sorted(
        file.name.removesuffix(_SUFFIX) for file in files("matcher.io").joinpath("mappings").iterdir() if file.name.endswith(_SUFFIX)
    )


def read_mapping(name: Path | str) -> MappingFile:
    """A mapping from a file, or one that comes with the program by its name (with or without `.toml`).

    Raises UsageError where there is none of that name, and InputError with every fault of the file.
    """
    data, file = _load(str(name), ())
    faults = list(_unknown_keys(data, file))
    blocks: list[Block] = []
    for sheet in SHEETS:
        found = data.get(sheet, [])
        for position, raw in enumerate(found if isinstance(found, list) else [found]):
            path = sheet if isinstance(found, dict) else f"{sheet}[{position + 1}]"
            try:
                blocks.append(_block(sheet, path, raw, data.get("tables", {})))
            except (_Bad, KeyError, TypeError, AttributeError) as error:
                message = str(error) if isinstance(error, _Bad) else "cannot be understood; see docs/howto/kobo.md"
                faults.append(Fault(file, 0, path, "bad_mapping", message))
    if not blocks and not faults:
        faults.append(Fault(file, 0, "", "bad_mapping", f"makes nothing; it needs one of {', '.join(SHEETS)}"))
    if faults:
        raise InputError(faults)
    return MappingFile(file, str(data.get("title", file)), data.get("tables", {}), data.get("recodes", {}), tuple(blocks))


def _load(name: str, above: Sequence[str]) -> tuple[dict[str, Any], str]:
    """(content with what it extends, name for messages)."""
    path = Path(name)
    if path.is_file():
        text, file = _text(path), path.name
    else:
        known = path.name.removesuffix(_SUFFIX)
        if known not in shipped() or path.name != name:
            raise UsageError(f"there is no mapping {name!r}: name a file, or one of {', '.join(shipped())}")
        text, file = files("matcher.io").joinpath("mappings", known + _SUFFIX).read_text(encoding="utf-8"), known + _SUFFIX
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError([Fault(file, 0, "", "bad_mapping", f"is not TOML: {error}")]) from error
    extended = data.pop("extends", None)
    if extended is None:
        return data, file
    if extended in above or len(above) > 8:
        raise InputError([Fault(file, 0, "extends", "bad_mapping", f"{extended!r} extends itself")])
    beside = path.parent / str(extended)
    base, _ = _load(str(beside) if path.is_file() and beside.is_file() else str(extended), [*above, str(extended)])
    return _merged(base, data), file


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError([Fault(path.name, 0, "", "file_unreadable", "the mapping cannot be read as UTF-8 text")]) from error


def _merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of the second over those of the first, tables into one another. A rule (what stands under `columns`) is replaced whole."""
    out = dict(base)
    for key, value in more.items():
        both = isinstance(value, dict) and isinstance(out.get(key), dict)
        if key == "columns" and both:
            out[key] = {**out[key], **value}
        else:
            out[key] = _merged(out[key], value) if both else value
    return out


class _Bad(Exception):
    pass


def _unknown_keys(data: Mapping[str, Any], file: str) -> Iterator[Fault]:
    flat = [key for key in ("tables", "recodes") if not isinstance(data.get(key, {}), dict)]
    if flat:
        yield from (Fault(file, 0, key, "bad_mapping", f"is a table: write [{key}.NAME]") for key in flat)
        return
    for key in sorted(set(data) - _TOP):
        yield Fault(file, 0, key, "bad_mapping", f"is no part of a mapping; there are {', '.join(sorted(_TOP))}")
    for alias, table in data.get("tables", {}).items():
        if not isinstance(table, dict) or set(table) - _TABLE or not {"name", "has"} & set(table):
            message = "says how to find a table: `name` (`*` for anything), or `has` with columns; also `lacks` and `optional`"
            yield Fault(file, 0, f"tables.{alias}", "bad_mapping", message)
    for name, codes in data.get("recodes", {}).items():
        if not isinstance(codes, dict) or not all(isinstance(value, str) for value in codes.values()):
            yield Fault(
                file, 0, f"recodes.{name}", "bad_mapping", "is a list of codes: what stands in the source = what it becomes, as text"
            )


def _block(sheet: str, path: str, raw: Mapping[str, Any], tables: Mapping[str, Any]) -> Block:
    more = set(raw) - _BLOCK
    if more:
        raise _Bad(f"`{sorted(more)[0]}` is no part of it; there are {', '.join(sorted(_BLOCK))}")
    if raw.get("from") not in tables:
        raise _Bad(f"`from` must be one of [tables]: {', '.join(tables) or 'there are none'}")
    columns = raw.get("columns", {})
    for column in columns:
        if not SHEETS[sheet].knows(column):
            raise _Bad(f"columns.{column}: {sheet} has no such column")
    one, many = ({alias: _join(f"{kind}.{alias}", join, tables) for alias, join in raw.get(kind, {}).items()} for kind in ("one", "many"))
    return Block(
        sheet, path, raw["from"], raw.get("where"), one, many, raw.get("group"), raw.get("lead"), str(raw.get("no_lead", _NO_LEAD)), columns
    )


def _join(path: str, raw: Mapping[str, Any], tables: Mapping[str, Any]) -> Join:
    if set(raw) - _JOIN or not {"table", "here", "there"} <= set(raw) or raw["table"] not in tables:
        raise _Bad(f"{path}: needs `table` (one of {', '.join(tables)}), `here` and `there`; also `required` and `one`")
    inner = {alias: _join(f"{path}.one.{alias}", join, tables) for alias, join in raw.get("one", {}).items()}
    return Join(raw["table"], str(raw["here"]), str(raw["there"]), bool(raw.get("required", False)), inner)

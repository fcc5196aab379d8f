"""The manifest of a delivery: which files it has, how large they are, and their SHA-256. Written last, so that it says: complete."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from matcher.errors import ExitCode, MatcherError
from matcher.io.columns import REQUIRED_SHEETS, SHEETS
from matcher.io.tokens import RecordReader, Undecodable, decode, is_blank

MANIFEST = "manifest.json"
DECISIONS = "decisions.csv"
POLICY = "policy.toml"
NAMES = frozenset({*(f"{sheet}.csv" for sheet in SHEETS), DECISIONS, POLICY})
"""What a delivery may hold."""
REQUIRED = tuple(f"{sheet}.csv" for sheet in REQUIRED_SHEETS)


class DeliveryRefused(MatcherError):
    """A delivery that cannot be used. code: `missing`, `incomplete`, `damaged`, `empty` or `shrunk`; delivery: its folder's name."""

    exit_code = ExitCode.INPUT

    def __init__(self, code: str, delivery: str, message: str) -> None:
        self.code, self.delivery = code, delivery
        super().__init__(message if not delivery else f"delivery {delivery}: {message}")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FileEntry(_Strict):
    """One file. rows: below the header, wholly empty ones not counted; None for a file that is no table. size: in bytes."""

    name: str
    size: Annotated[int, Field(ge=0)]
    rows: Annotated[int, Field(ge=0)] | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(_Strict):
    """The content of manifest.json."""

    format: Literal[1] = 1
    encoding: str = "utf-8"
    files: list[FileEntry]

    def sha256(self) -> str:
        """One sum over all files: two deliveries of the same bytes have the same."""
        lines = sorted(f"{entry.sha256} {entry.name}\n" for entry in self.files)
        return hashlib.sha256("".join([f"{self.encoding}\n", *lines]).encode()).hexdigest()

    def text(self) -> str:
        """As written to the file."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=2) + "\n"


@dataclass(frozen=True)
class Delivery:
    """A delivery that is whole, as bytes. rows: of each table."""

    name: str
    manifest: Manifest
    data: dict[str, bytes]

    @property
    def rows(self) -> dict[str, int]:
        """Rows of each table, by file name."""
        return {entry.name: entry.rows for entry in self.manifest.files if entry.rows is not None}


def entry_of(name: str, data: bytes, encoding: str) -> FileEntry:
    """The manifest's line for a file. Raises Undecodable."""
    rows = count_rows(decode(data, encoding)) if name.endswith(".csv") else None
    return FileEntry(name=name, size=len(data), rows=rows, sha256=hashlib.sha256(data).hexdigest())


def count_rows(text: str) -> int:
    """Rows below the header that are not wholly empty; broken ones count as well, and a line of HXL tags too."""
    header = text.lstrip("\r\n").partition("\n")[0]
    reader = RecordReader(text, ";" if header.count(";") > header.count(",") else ",")
    while not reader.done and not reader.width:
        reader.record()
    count = 0
    for batch in reader.batches():
        count += sum(not is_blank(record.cells) for record in batch.odd)
        filled = [bool(cell.strip()) for cell in batch.columns[0]]
        count += sum(filled)
        for row in (row for row, there in enumerate(filled) if not there):
            count += any(column[row].strip() for column in batch.columns)
    return count


def read_delivery(folder: Path) -> Delivery:
    """Read a delivery and hold it against its manifest, byte by byte. Raises DeliveryRefused."""
    manifest = read_manifest(folder)
    listed = {entry.name: entry for entry in manifest.files}
    _check_names(folder, manifest, set(listed))
    data = {}
    for name, entry in listed.items():
        data[name] = _read(folder, name)
        _check_file(folder.name, entry, data[name], manifest.encoding)
    for name in REQUIRED:
        if not listed[name].rows:
            raise DeliveryRefused("empty", folder.name, f"{name} has no rows; an export that failed looks like this, so nothing is changed")
    return Delivery(folder.name, manifest, data)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a delivery. Raises DeliveryRefused where there is none (yet), or none that can be read."""
    if not (folder / MANIFEST).exists():
        text = f"it has no {MANIFEST}, so it is still being written (`matcher deliver` makes deliveries that are whole at once)"
        raise DeliveryRefused("incomplete", folder.name, text)
    try:
        return Manifest.model_validate_json(_read(folder, MANIFEST), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole file"
        raise DeliveryRefused("damaged", folder.name, f"{MANIFEST} cannot be used: {where}: {first['msg']}") from None


def _check_names(folder: Path, manifest: Manifest, listed: set[str]) -> None:
    """Just the files of the manifest, each once, all with names of the format."""
    if len(listed) < len(manifest.files):
        raise DeliveryRefused("damaged", folder.name, f"{MANIFEST} names a file twice")
    for name in sorted(listed - NAMES):
        text = f"{MANIFEST} names {_shown(name)}, which is no file of a delivery; these are: {', '.join(sorted(NAMES))}"
        raise DeliveryRefused("damaged", folder.name, text)
    for name in REQUIRED:
        if name not in listed:
            raise DeliveryRefused("damaged", folder.name, f"{MANIFEST} does not name {name}, which every delivery needs")
    try:
        found = {path.name for path in folder.iterdir() if path.name != MANIFEST and not path.name.startswith(".")}
    except OSError as error:
        raise DeliveryRefused("damaged", folder.name, f"the folder cannot be read: {error.strerror}") from error
    for name in sorted(found - listed):
        raise DeliveryRefused("damaged", folder.name, f"{_shown(name)} stands in the folder, but not in {MANIFEST}")


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if path.is_symlink():
        raise DeliveryRefused("damaged", folder.name, f"{name} is a link; a delivery holds its files itself")
    try:
        return path.read_bytes()
    except OSError as error:
        raise DeliveryRefused("damaged", folder.name, f"{name} cannot be read: {error.strerror}") from error


def _check_file(delivery: str, entry: FileEntry, data: bytes, encoding: str) -> None:
    again = "it was cut or changed on the way, deliver it again"
    if len(data) != entry.size:
        raise DeliveryRefused("damaged", delivery, f"{entry.name} has {len(data)} bytes, {MANIFEST} says {entry.size}: {again}")
    try:
        found = entry_of(entry.name, data, encoding)
    except Undecodable as error:
        raise DeliveryRefused("damaged", delivery, f"{entry.name}: {error.message}") from None
    except LookupError:
        raise DeliveryRefused("damaged", delivery, f"{MANIFEST}: there is no text encoding {_shown(encoding)}") from None
    if found.sha256 != entry.sha256:
        raise DeliveryRefused("damaged", delivery, f"{entry.name} is not the file that {MANIFEST} was made for (SHA-256 differs): {again}")
    if entry.name.endswith(".csv") and found.rows != entry.rows:
        raise DeliveryRefused("damaged", delivery, f"{entry.name} has {found.rows} rows, {MANIFEST} says {entry.rows}: {again}")


def _shown(name: str) -> str:
    """A name from outside, fit for a message."""
    return repr(re.sub(r"[^\w.\- ]", "?", name)[:60])

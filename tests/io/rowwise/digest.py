"""One line of JSON a row, the same for the same content however it was written, and the sum over all of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from pydantic import BaseModel


def canonical_line(row: BaseModel) -> str:
    """A row as JSON: fields by name, sets sorted, numbers without trailing zeros (`1.50` and `1.5` are one number)."""
    return json.dumps(_plain(row), separators=(",", ":"), sort_keys=True)


def sha256_of(lines: Iterable[str]) -> str:
    """SHA-256 over the sorted lines, as hexadecimal digits."""
    digest = hashlib.sha256()
    for line in sorted(lines):
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def plain_decimal(value: Decimal) -> str:
    """Exact plain digits: no exponent, no trailing zeros. `Decimal.normalize` would round long numbers."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, BaseModel):
        return {name: _plain(part) for name, part in value.__dict__.items()}
    if isinstance(value, Decimal):
        return plain_decimal(value)
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a row holds a {type(value).__name__}, which has no canonical form")

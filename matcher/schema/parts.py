"""What schemas are put together from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
TEXT: Schema = {"type": "string"}
YES_NO: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
OPEN: Schema = {"type": "object"}
TENTHS: Schema = {"type": "string", "pattern": r"^-?[0-9]+\.[0-9]$"}
DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


def an_object(text: str, properties: Mapping[str, Any], required: tuple[str, ...] | None = None, **more: Any) -> Schema:
    """An object; all of its properties are required unless some are named."""
    wanted = list(properties) if required is None else list(required)
    return {"type": "object", "description": text, "properties": dict(properties), "required": wanted, **more}


def output_row(text: str, columns: tuple[str, ...], known: Mapping[str, Schema]) -> Schema:
    """A row of a CSV file that a run writes: every column is there, as text."""
    return an_object(text, {name: known.get(name, TEXT) for name in columns}, additionalProperties=False)


def by_key(value: Schema) -> Schema:
    """An object with any keys, and such values."""
    return {"type": "object", "additionalProperties": value}


def many(value: Schema) -> Schema:
    """An array of such values."""
    return {"type": "array", "items": value}


def or_none(value: Schema) -> Schema:
    """Such a value or null."""
    return {"anyOf": [value, {"type": "null"}]}

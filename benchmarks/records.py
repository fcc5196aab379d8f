"""Finished measurements, one JSON object a line: what is there is not measured again."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from benchmarks.cases import ROOT
from matcher.errors import UsageError

Row = dict[str, Any]


class Records:
    """The file and what stands in it, by key. A last line that was cut short by a stop is dropped; any other fault is an error."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[str, Row] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            self._read()

    def _read(self) -> None:
        lines = self.path.read_bytes().split(b"\n")
        if lines[-1]:
            lines.pop()
            os.truncate(self.path, sum(len(line) + 1 for line in lines))
        for number, line in enumerate(lines, 1):
            if line:
                try:
                    row = json.loads(line)
                    self.rows[row["key"]] = row
                except (ValueError, KeyError, TypeError) as error:
                    raise UsageError(f"{self.path}:{number} is not a measurement ({error}); mend or remove the file") from error

    def clear(self) -> None:
        """Forget everything."""
        self.rows.clear()
        self.path.unlink(missing_ok=True)

    def add(self, row: Row) -> None:
        """Write one down, at once and for good."""
        self.rows[row["key"]] = row
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())


def fingerprint(*parts: str) -> str:
    """Of the source below these folders of the repository: a change makes a new measurement of it."""
    digest = hashlib.sha256()
    for part in parts:
        for file in sorted((ROOT / part).rglob("*.py")):
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]

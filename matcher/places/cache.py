"""Answers kept on disk between runs, under a hash of the question; a file tells neither places nor people."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from pathlib import Path
from typing import Any

LONGEST_DAYS = 30
log = logging.getLogger(__name__)


class Kept:
    """One kind of answers. They are plain JSON, and count for LONGEST_DAYS. What cannot be read or written is asked again, and logged."""

    def __init__(self, kind: str) -> None:
        self.folder = cache_folder() / kind

    def get(self, question: Any) -> Any:
        """The answer, or None."""
        path = self._path(question)
        try:
            if time.time() - path.stat().st_mtime > LONGEST_DAYS * 86_400:
                return None
            kept = json.loads(path.read_bytes())
            if kept["sha256"] == _hash(kept["answer"]):
                return kept["answer"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("an answer kept in %s cannot be read (%s) and is asked for again", self.folder, type(error).__name__)
            return None
        log.warning("an answer kept in %s is damaged and is asked for again", self.folder)
        return None

    def put(self, question: Any, answer: Any) -> None:
        """Keep an answer: whole or not at all, readable for the user alone."""
        path = self._path(question)
        stage = path.with_suffix(f".{os.getpid()}")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            number = os.open(stage, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(number, "w", encoding="utf-8") as file:
                json.dump({"sha256": _hash(answer), "answer": answer}, file)
            stage.replace(path)
        except OSError as error:
            log.warning("answers cannot be kept in %s: %s", self.folder, error.strerror)
            stage.unlink(missing_ok=True)

    def _path(self, question: Any) -> Path:
        return self.folder / f"{_hash(question)}.json"


def cache_folder() -> Path:
    """MATCHER_CACHE, else shelter-matcher in XDG_CACHE_HOME, else in ~/.cache."""
    own = os.environ.get("MATCHER_CACHE")
    return Path(own) if own else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shelter-matcher"


def _hash(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, separators=(",", ":")).encode()).hexdigest()

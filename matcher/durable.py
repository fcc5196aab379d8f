"""Files that are whole or not there, even after a power cut: written, flushed to disk, and only then given their name."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

log = logging.getLogger(__name__)

PRIVATE = 0o600


def write_file(path: Path, data: str | bytes, mode: int = PRIVATE) -> None:
    """Write a file that is not there yet, and flush it to disk. Raises OSError."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(number, "wb") as file:
        file.write(data.encode("utf-8") if isinstance(data, str) else data)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, data: str | bytes, mode: int = PRIVATE) -> None:
    """Put a file in the place of another one, or of none: readers see the old one or the new one, whole. Raises OSError."""
    stage = path.with_name(f".{path.name}.staging-{os.getpid()}")
    stage.unlink(missing_ok=True)  # of a killed process that had our number
    try:
        write_file(stage, data, mode)
        stage.chmod(mode)  # whatever the umask
        stage.rename(path)
    except BaseException:
        stage.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Flush a folder's list of names to disk. Raises OSError."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def remove_folder(folder: Path) -> None:
    """Remove a folder for good: it may hold protected destinations, so one failure or interrupt on the way is not the end."""
    for _ in range(3):
        try:
            shutil.rmtree(folder, ignore_errors=True)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        if not folder.exists():
            return
    log.warning("%s could not be removed", folder)

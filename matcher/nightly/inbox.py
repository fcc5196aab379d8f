"""The inbox: deliveries side by side, each a folder whose name tells when it came."""

from __future__ import annotations

import datetime as dt
import errno
import os
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from matcher.durable import flush_folder, remove_folder, write_file
from matcher.errors import UsageError
from matcher.io.tokens import Undecodable, check_encoding
from matcher.nightly.manifest import (
    MANIFEST,
    NAMES,
    REQUIRED,
    Delivery,
    DeliveryRefused,
    FileEntry,
    Manifest,
    entry_of,
    read_delivery,
    read_manifest,
)

STAMP = "%Y-%m-%dT%H%M%S.%fZ"
DAY_S = 24 * 60 * 60


@dataclass(frozen=True)
class Delivered:
    """What `deliver` made. left_behind: files of the source that are no part of a delivery."""

    folder: Path
    manifest: Manifest
    left_behind: tuple[str, ...]


@dataclass(frozen=True)
class Taken:
    """A delivery to be used. unfinished: newer ones that are still being written, newest first."""

    delivery: Delivery
    unfinished: tuple[str, ...]


def deliver(source: Path | str, inbox: Path | str, *, encoding: str = "utf-8", now: dt.datetime | None = None) -> Delivered:
    """Put the files of `source` into a new folder of the inbox, whole or not at all: staged, flushed, given its name at the end.

    now: the time it is named for, UTC; default the clock. Names sort by time, and the last one is the newest: should the clock
    have been put back, the name follows the newest that is there.
    Raises UsageError: no folder, a file that is missing or unreadable, an inbox that cannot be written to.
    """
    source, inbox = Path(source), Path(inbox)
    check_encoding(encoding)
    data, left_behind = _files(source)
    manifest = Manifest(encoding=encoding, files=[_entry(name, data[name], encoding) for name in sorted(data)])
    try:
        inbox.mkdir(parents=True, exist_ok=True, mode=0o700)
        _tidy(inbox)
        stage = inbox / f".staging-{os.getpid()}-{os.urandom(4).hex()}"
        try:
            stage.mkdir(mode=0o700)
            for name in sorted(data):
                write_file(stage / name, data[name])
            write_file(stage / MANIFEST, manifest.text())
            flush_folder(stage)
            folder = _name(stage, inbox, now or dt.datetime.now(dt.UTC))
        except BaseException:
            remove_folder(stage)
            raise
        flush_folder(inbox)
    except OSError as error:
        raise UsageError(f"the delivery could not be written to {inbox}: {error.strerror}") from error
    return Delivered(folder, manifest, left_behind)


def _files(source: Path) -> tuple[dict[str, bytes], tuple[str, ...]]:
    if not source.is_dir():
        raise UsageError(f"{source} is not a folder")
    try:
        there = sorted(path.name for path in source.iterdir() if path.is_file() and not path.name.startswith((".", "~")))
        data = {name: (source / name).read_bytes() for name in there if name in NAMES}
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error.strerror}") from error
    for name in REQUIRED:
        if name not in data:
            raise UsageError(f"{source} has no {name}, which every delivery needs")
    alike = [name for name in there if name not in NAMES and name.casefold() in NAMES]
    if alike:
        raise UsageError(f"call {alike[0]!r} {alike[0].casefold()}: names of files are in small letters")
    return data, tuple(name for name in there if name not in NAMES and name != MANIFEST)


def _entry(name: str, data: bytes, encoding: str) -> FileEntry:
    try:
        return entry_of(name, data, encoding)
    except Undecodable as error:
        raise UsageError(f"{name}: {error.message}") from None


def _name(stage: Path, inbox: Path, now: dt.datetime) -> Path:
    """Rename the stage so that its name comes last. Another delivery of the same instant gets the one before or after."""
    while True:
        newest = max(names(inbox), default="")
        stamp = now.astimezone(dt.UTC).strftime(STAMP)
        if stamp <= newest:
            now = _time_of(newest, inbox) + dt.timedelta(microseconds=1)
            continue
        try:
            return stage.rename(inbox / stamp)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise  # else another delivery has just taken the name


def _time_of(name: str, inbox: Path) -> dt.datetime:
    try:
        return dt.datetime.strptime(name, STAMP).replace(tzinfo=dt.UTC)
    except ValueError:
        text = f"{inbox} holds {name!r}, whose name sorts behind every time, so that no delivery could ever be newer; take it away"
        raise UsageError(text) from None


def names(inbox: Path) -> Sequence[str]:
    """The deliveries of an inbox, finished or not, oldest first. Raises UsageError where there is no such folder."""
    try:
        return sorted(path.name for path in inbox.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise UsageError(f"the inbox {inbox} cannot be read: {error.strerror}") from error


def newest(inbox: Path, used: Collection[str] = ()) -> Taken:
    """The newest complete delivery, read and checked.

    used: names of deliveries that earlier runs were made from. One that is still being written is passed over for an older one
    only where that is news.
    Raises DeliveryRefused: there is none, the newest complete one is damaged or empty (an older one is not taken in its place:
    nobody would learn of it), or the only news is still being written.
    """
    found = names(inbox)
    if not found:
        raise DeliveryRefused("missing", "", f"there is no delivery in {inbox}; make one with `matcher deliver DIR {inbox}`")
    unfinished = list(takewhile(lambda name: not (inbox / name / MANIFEST).exists(), reversed(found)))
    complete = found[: len(found) - len(unfinished)]
    if unfinished and (not complete or complete[-1] in used):
        read_manifest(inbox / unfinished[0])  # refuses it
    return Taken(read_delivery(inbox / complete[-1]), tuple(unfinished))


def _tidy(inbox: Path) -> None:
    """Remove what killed deliveries have left. Those of another machine may still be at work, so only what is a day old."""
    for stage in inbox.glob(".staging-*"):
        try:
            since = stage.stat().st_mtime
        except FileNotFoundError:
            continue  # another delivery has just been finished under its name
        if time.time() - since > DAY_S:
            remove_folder(stage)

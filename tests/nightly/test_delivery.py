"""A delivery is whole or is refused: whatever is cut off, flipped, added, taken away or swapped."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from matcher.cli.app import app
from matcher.errors import UsageError
from matcher.io import read_instance
from matcher.nightly.inbox import deliver, names, newest
from matcher.nightly.manifest import MANIFEST, DeliveryRefused, count_rows
from tests.nightly.world import wait_until
from tests.runs import INSTANCES, ROOT, environ, generated

SOURCE = INSTANCES / "chasiv-yar"


def copy_of(delivery: Path, to: Path) -> Path:
    shutil.copytree(delivery, to)
    return to


def alter(folder: Path, rng: random.Random) -> str:
    """Do something to a delivery that changes what it says; returns what."""
    files = sorted(path for path in folder.iterdir())
    tables = [path for path in files if path.name != MANIFEST and path.stat().st_size > 40]
    path, manifest = rng.choice(tables), folder / MANIFEST
    data, plain = path.read_bytes(), json.loads(manifest.read_text(encoding="utf-8"))
    ways = "cut flip append empty remove swap add link manifest_cut manifest_empty manifest_flip manifest_entry manifest_number".split()
    way = rng.choice(ways)
    if way == "cut":
        path.write_bytes(data[: rng.randrange(len(data))])
    elif way == "flip":
        at = rng.randrange(len(data))
        path.write_bytes(data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :])
    elif way == "append":
        path.write_bytes(data + rng.choice([b"\n", b"x", data[-40:]]))
    elif way == "empty":
        path.write_bytes(b"")
    elif way == "remove":
        path.unlink()
    elif way == "swap":
        other = rng.choice([one for one in tables if one != path])
        path.write_bytes(other.read_bytes())
    elif way == "add":
        (folder / rng.choice(["placements_.csv", "notes.txt", "Ties.csv", "sub"])).write_text("household_id\n", encoding="utf-8")
    elif way == "link":
        path.rename(folder.parent / f"{folder.name}-{path.name}")
        path.symlink_to(folder.parent / f"{folder.name}-{path.name}")
    elif way == "manifest_cut":
        text = manifest.read_bytes()
        manifest.write_bytes(text[: rng.randrange(1, len(text) - 2)])
    elif way == "manifest_empty":
        manifest.write_bytes(b"")
    elif way == "manifest_flip":
        entry = rng.choice(plain["files"])
        entry["sha256"] = entry["sha256"][::-1] if entry["sha256"] != entry["sha256"][::-1] else "0" * 64
        manifest.write_text(json.dumps(plain), encoding="utf-8")
    elif way == "manifest_entry":
        plain["files"].remove(rng.choice(plain["files"]))
        manifest.write_text(json.dumps(plain), encoding="utf-8")
    else:
        rng.choice([entry for entry in plain["files"] if entry["rows"] is not None])[rng.choice(["rows", "size"])] += rng.choice([-1, 1])
        manifest.write_text(json.dumps(plain), encoding="utf-8")
    return way


def test_a_hundred_truncated_or_altered_deliveries_are_all_refused(tmp_path: Path) -> None:
    whole = deliver(SOURCE, tmp_path / "first").folder
    seen: Counter[str] = Counter()
    for seed in range(100):
        inbox = tmp_path / f"inbox-{seed}"
        inbox.mkdir()
        way = alter(copy_of(whole, inbox / "2026-11-22T010000.000000Z"), random.Random(seed))
        with pytest.raises(DeliveryRefused) as caught:
            newest(inbox)
        assert caught.value.exit_code == 3 and caught.value.code == "damaged", way
        assert "2026-11-22T010000" in str(caught.value)
        seen[way] += 1
    assert len(seen) == 13 and seen.total() == 100
    assert newest(tmp_path / "first").delivery.name == whole.name


def test_what_was_delivered_is_what_is_read(tmp_path: Path) -> None:
    made = deliver(SOURCE, tmp_path / "inbox")
    taken = newest(tmp_path / "inbox").delivery
    assert taken.data == {name: (SOURCE / name).read_bytes() for name in taken.data}
    assert {"households.csv", "accommodations.csv"} <= taken.data.keys() and made.left_behind == ("README.md",)
    assert read_instance(made.folder).sha256 == read_instance(SOURCE).sha256
    counted = {count.file: count.rows_in for count in read_instance(SOURCE).counts}
    assert {name: rows for name, rows in taken.rows.items() if name in counted} == counted
    assert stat.S_IMODE(made.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.folder.iterdir()} == {0o600}


def test_the_newest_is_the_one_whose_name_comes_last_even_when_the_clock_goes_back(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    instants = [dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC), dt.datetime(2026, 10, 25, 0, 10, tzinfo=dt.UTC)]
    made = [deliver(SOURCE, inbox, now=now).folder.name for now in (*instants, instants[0])]
    assert made == sorted(made) and len(set(made)) == 3
    assert newest(inbox).delivery.name == made[-1]
    assert deliver(SOURCE, inbox).folder.name == names(inbox)[-1]
    (inbox / "zzz").mkdir()
    with pytest.raises(UsageError, match="zzz"):
        deliver(SOURCE, inbox)


def test_one_that_is_still_being_written_is_passed_over_only_for_news(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    first = deliver(SOURCE, inbox).folder.name
    growing = inbox / "2099-01-01T000000.000000Z"
    growing.mkdir()
    (growing / "households.csv").write_bytes((SOURCE / "households.csv").read_bytes())
    taken = newest(inbox)
    assert (taken.delivery.name, taken.unfinished) == (first, (growing.name,))
    with pytest.raises(DeliveryRefused, match="still being written") as caught:
        newest(inbox, used=[first])
    assert caught.value.code == "incomplete"
    shutil.rmtree(inbox / first)
    with pytest.raises(DeliveryRefused, match="still being written"):
        newest(inbox)


@pytest.mark.parametrize("name", ["households.csv", "accommodations.csv"])
def test_an_export_without_rows_is_refused(name: str, tmp_path: Path) -> None:
    source = copy_of(SOURCE, tmp_path / "source")
    header = (source / name).read_text(encoding="utf-8").splitlines()[0]
    (source / name).write_text(header + "\n\n,,,\n", encoding="utf-8")
    deliver(source, tmp_path / "inbox")
    with pytest.raises(DeliveryRefused, match="no rows") as caught:
        newest(tmp_path / "inbox")
    assert caught.value.code == "empty"


def test_an_empty_inbox_and_one_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    with pytest.raises(DeliveryRefused, match="no delivery"):
        newest(tmp_path / "inbox")
    with pytest.raises(UsageError, match="inbox"):
        newest(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n1,2\n3,4\n", 2),
        ("a,b\n1,2\n\n , \n3,4", 2),
        ('a;b\n1;"x\ny"\n', 1),
        ("\n\na,b\n,2\n", 1),
        ("a\n\n\n", 0),
        ("", 0),
        ('a,b\n"1,2\n3,4\n', 2),
    ],
)
def test_rows_are_counted_as_they_are_read(text: str, rows: int) -> None:
    assert count_rows(text) == rows


def test_another_encoding_is_declared_and_kept(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name, text in (
        ("households", "household_id,persons,place\nH1,2,Львів\n"),
        ("accommodations", "accommodation_id,place,capacity\nA1,Київ,2\n"),
    ):
        (source / f"{name}.csv").write_bytes(text.encode("cp1251"))
    with pytest.raises(UsageError, match="UTF-8"):
        deliver(source, tmp_path / "inbox")
    deliver(source, tmp_path / "inbox", encoding="cp1251")
    assert newest(tmp_path / "inbox").delivery.manifest.encoding == "cp1251"


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    now = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    threads = [threading.Thread(target=deliver, args=(SOURCE, tmp_path / "inbox"), kwargs={"now": now}) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names(tmp_path / "inbox")) == 12
    assert not list((tmp_path / "inbox").glob(".staging-*"))


def test_one_that_is_killed_leaves_nothing_that_looks_like_a_delivery(tmp_path: Path) -> None:
    inbox, source, killed = tmp_path / "inbox", generated(2000, 9), 0
    inbox.mkdir()
    code = f"from matcher.nightly.inbox import deliver\nprint(flush=True)\nwhile True: deliver({str(source)!r}, {str(inbox)!r})"
    for _ in range(40):
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environ(), cwd=ROOT)
        assert child.stdout is not None and child.stdout.readline() == b"\n"
        before = set(inbox.glob(".staging-*"))
        wait_until(lambda before=before: set(inbox.glob(".staging-*")) - before)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        killed += bool(set(inbox.glob(".staging-*")) - before)  # else it was quicker than we
        for name in names(inbox):
            assert (inbox / name / MANIFEST).exists()
        if killed == 4:
            break
    assert killed > 0, "none was killed on its way"
    for stage in inbox.glob(".staging-*"):
        os.utime(stage, (0, 0))
    deliver(source, inbox)
    assert not list(inbox.glob(".staging-*"))
    assert newest(inbox).delivery.rows["households.csv"] == 2000


def test_the_command(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    done = CliRunner().invoke(app, ["deliver", str(SOURCE), str(inbox), "--json"])
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["delivery"] == names(inbox)[0]
    assert {entry["name"] for entry in told["files"]} == newest(inbox).delivery.data.keys()
    assert json.loads((inbox / told["delivery"] / MANIFEST).read_text(encoding="utf-8"))["files"] == told["files"]
    missing = CliRunner().invoke(app, ["deliver", str(tmp_path), str(inbox)])
    assert missing.exit_code == 2 and "households.csv" in missing.stderr

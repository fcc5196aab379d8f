"""Reading by column finds and makes exactly what the row-by-row reader (tests/io/rowwise) does."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from matcher.errors import InputError
from matcher.generate import generate
from matcher.held import HeldRows
from matcher.io import instance_from_frames, read_instance, tokens
from matcher.io.columns import LISTS
from matcher.model import Instance, Row
from tests.io.fault_cases import CASES, Case, files_of
from tests.io.mutate import mutated
from tests.io.rowwise.frames_in import instance_from_frames as frames_by_row
from tests.io.rowwise.read import read_instance as read_by_row
from tests.io.sample import FULL, MINIMAL, Files, write
from tests.io.test_quarantine import WORLD

SHEETS = ("households", "accommodations", "members", "ties", "travel", "places", "standing", "overrides")
ROUNDS = 6


def content(instance: Instance) -> dict[str, Any]:
    """All of an instance, numbers as they were written."""
    rest = {**plain(instance), "set_aside": [plain(row) for row in instance.set_aside]}
    return rest | {name: [plain(row) for row in getattr(instance, name)] for name in SHEETS}


def plain(row: Row) -> dict[str, Any]:
    """A row with sets in order and numbers as they were written."""
    return {name: sorted(value) if isinstance(value, frozenset) else repr(value) for name, value in row.__dict__.items()}


def outcome(read: Any, *args: Any, **options: Any) -> Any:
    """What a reader makes of files: an instance, or faults and notices."""
    try:
        instance: Instance = read(*args, **options)
    except InputError as error:
        return error.faults, error.notices, str(error)
    assert all(isinstance(getattr(instance, name), tuple | HeldRows) for name in SHEETS)
    assert all(type(row)(**row.__dict__) == row for name in SHEETS for row in getattr(instance, name))  # as the models want them
    return content(instance)


@pytest.fixture(params=[(1 << 20, 8192), (60, 3)], ids=["large batches", "small batches"])
def batches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    length, rows = request.param
    monkeypatch.setattr(tokens, "_BATCH_LENGTH", length)
    monkeypatch.setattr(tokens, "_BATCH_ROWS", rows)


def base(name: str, folder: Path) -> dict[str, str]:
    if name == "drawn":
        generate(folder, 12, 5, links=0.5)
        return {path.stem: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    return {"full": FULL, "world": WORLD, "minimal": MINIMAL}[name]


def same(folder: Path, files: Files, **options: Any) -> str:
    """Compare both readers; the kind of outcome."""
    write(folder, files)
    expected = outcome(read_by_row, folder, **options)
    assert outcome(read_instance, folder, **options) == expected
    return "faults" if isinstance(expected, tuple) else "aside" if expected["set_aside"] else "sound"


@pytest.mark.usefixtures("batches")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name[:60])
@pytest.mark.parametrize("quarantine", [False, True])
def test_every_fault(case: Case, tmp_path: Path, quarantine: bool) -> None:
    same(tmp_path, files_of(case, MINIMAL), quarantine=quarantine)


@pytest.mark.usefixtures("batches")
@pytest.mark.parametrize("name", ["full", "world", "minimal", "drawn"])
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_changed_by_chance(name: str, seed: int, tmp_path: Path) -> None:
    rng = random.Random(f"{name} {seed}")
    files = base(name, tmp_path / "drawn")
    kinds: Counter[str] = Counter()
    for position in range(8):
        changed = mutated(files, rng, position // 2)
        for quarantine in (False, True):
            kinds[same(tmp_path / f"{position}", changed, quarantine=quarantine)] += 1
    assert kinds["sound"] >= 2  # those without a change, at least
    assert len(kinds) > 1


@pytest.mark.parametrize("name", ["full", "world", "drawn"])
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_frames_changed_by_chance(name: str, seed: int, tmp_path: Path) -> None:
    rng = random.Random(f"frames {name} {seed}")
    values = ["", "x", None, 1, 2.0, 2.5, True, float("nan"), "H1", "H001", "A1", "Lviv", "near", "apart", "\ud800", " '=1", ["a", "b"], 0]
    for _ in range(6):
        frames = {}
        for sheet, text in base(name, tmp_path).items():
            header, *rows = [line.split(",") for line in text.rstrip("\n").split("\n")]
            frames[sheet] = pd.DataFrame(rows, columns=header, dtype=object)
        for _ in range(rng.randrange(6)):
            frame = frames[rng.choice(sorted(frames))]
            column, value = rng.randrange(frame.shape[1]), rng.choice(values)
            if not isinstance(value, list) or frame.columns[column] in LISTS:  # elsewhere a list is a fault of its own
                frame.iat[rng.randrange(len(frame)), column] = value
        for quarantine in (False, True):
            expected = outcome(frames_by_row, quarantine=quarantine, **frames)
            assert outcome(instance_from_frames, quarantine=quarantine, **frames) == expected


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_ids_and_numbers_of_any_look(seed: int, tmp_path: Path) -> None:
    """The sum is over lines sorted as text, where a quote ends an id: `A!` goes before `A`, and 10 before 2."""
    rng = random.Random(seed)
    texts = ("".join(rng.choices("A!~ \\'é\u2028Ж\"", k=rng.randint(1, 3))).strip() for _ in range(60))
    ids = sorted({text for text in texts if text and not text.startswith("'")})
    rng.shuffle(ids)
    cells = ['"' + name.replace('"', '""') + '"' for name in ids]
    offers = [f"{cell},Lviv,{rng.choice((1, 2, 10, 100))},{rng.choice(('', '1.5', '1.50', '15', '0'))}" for cell in cells]
    ties = [f"{rng.choice(cells)},{rng.choice(cells)},{rng.choice(('1', '10', '1.0', '2', '1.05'))}" for _ in range(90)]
    files = {
        "households": "\n".join(["household_id,place,persons", *(f"{cell},Lviv,{rng.randint(1, 12)}" for cell in cells)]),
        "accommodations": "\n".join(["accommodation_id,place,capacity,cost_per_person_night", *offers]),
        "ties": "\n".join(["household_id,accommodation_id,weight", *ties]),
    }
    assert same(tmp_path / "sound", files) == "sound"


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    files = {name: text.replace("Kharkiv", "Харків").encode("cp1251") for name, text in FULL.items()}
    assert same(tmp_path, files, encoding="cp1251") == "sound"
    assert same(tmp_path, files) == "faults"

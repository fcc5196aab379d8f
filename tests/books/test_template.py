"""The template explains every column, in both languages, and what it writes is read without a fault."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from matcher.cli.app import app
from matcher.io import read_instance
from matcher.io.columns import SHEETS
from matcher.io.template import LANGS, explained, purposes


def test_every_column_of_the_format_is_explained_in_both_languages() -> None:
    count = 0
    for lang in LANGS:
        for name, columns in explained(lang).items():
            assert {column.name for column in columns} == SHEETS[name].columns, name
            assert purposes(lang)[name]
            for column in columns:
                assert len(column.meaning) > 3 and len(column.examples) == 2, column
                count += 1
    english, ukrainian = ({(c.sheet, c.name): c.meaning for cs in explained(lang).values() for c in cs} for lang in LANGS)
    assert all(any("а" <= letter <= "я" or letter in "іїє" for letter in text.casefold()) for text in ukrainian.values())
    assert all(text.isascii() for text in english.values())
    assert count >= 2 * 80


@pytest.mark.parametrize("lang", LANGS)
def test_both_forms_are_one_sound_instance(lang: str, tmp_path: Path) -> None:
    found = []
    for target in (tmp_path / "t.xlsx", tmp_path / "t"):
        done = CliRunner().invoke(app, ["template", str(target), "--lang", lang])
        assert done.exit_code == 0, done.output
        instance = read_instance(target, today=date(2026, 11, 22))
        assert all(count.accepted == 2 for count in instance.counts) and len(instance.counts) == len(SHEETS)
        assert [notice.code for notice in instance.notices] == ["example_row"] * 4
        found.append(instance.sha256)
    assert len(set(found)) == 1
    readme = (tmp_path / "t" / "README.md").read_text(encoding="utf-8")
    assert all(f"| {column.name} |" in readme for columns in explained("en").values() for column in columns)


def test_coded_values_are_drop_downs(tmp_path: Path) -> None:
    CliRunner().invoke(app, ["template", str(tmp_path / "t.xlsx")])
    with zipfile.ZipFile(tmp_path / "t.xlsx") as archive:
        text = b"".join(archive.read(name) for name in archive.namelist() if "worksheets" in name).decode()
    for words in (
        "apartment,house,host_family,collective_site,dormitory,hotel,modular",
        "yes,no",
        "pin,forbid,hold",
        "f,m,x",
        "proposed,accepted,moved_in",
    ):
        assert f'<formula1>"{words}"</formula1>' in text


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "t.xlsx").write_text("mine")
    assert CliRunner().invoke(app, ["template", str(tmp_path / "t.xlsx")]).exit_code == 2
    assert CliRunner().invoke(app, ["template", str(tmp_path)]).exit_code == 2
    assert CliRunner().invoke(app, ["template", str(tmp_path / "new"), "--lang", "xx"]).exit_code == 2
    assert (tmp_path / "t.xlsx").read_text() == "mine"

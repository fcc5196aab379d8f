"""LibreOffice, headless: what it saves from our template reads as the folder, and it opens our results as they are."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from matcher.io import read_instance
from matcher.io.run_tables import results_workbook
from matcher.io.template import template_workbook
from tests.books.making import tables_of

ROOT = Path(__file__).parents[2] / "instances"
OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
pytestmark = pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")


def converted(path: Path, suffix: str, folder: Path) -> Path:
    """The same document as LibreOffice saves it in another form."""
    assert OFFICE is not None
    profile = f"-env:UserInstallation=file://{folder / 'profile'}"
    done = subprocess.run(
        [OFFICE, profile, "--headless", "--norestore", "--convert-to", suffix, "--outdir", str(folder), str(path)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if line and "javaldx" not in line and "dconf" not in line]
    assert done.returncode == 0 and not said, (done.returncode, done.stdout, done.stderr)
    target = folder / f"{path.stem}.{suffix.partition(':')[0]}"
    assert target.exists(), done.stdout
    return target


def filled(text: str, sheet: str, rows: list[list[str]]) -> str:
    """A sheet of a flat OpenDocument file with other rows below its header. Numbers and dates are typed, as a person would."""
    start = text.index(f'<table:table table:name="{sheet}"')
    end = text.index("</table:table>", start)
    part = text[start:end]
    first = part.index("<table:table-row")
    header_end = part.index("</table:table-row>", first) + len("</table:table-row>")
    names = re.findall(r"<text:p>([^<]*)</text:p>", part[first:header_end])
    more = [name for name in rows[0] if name not in names]
    position = {name: at for at, name in enumerate([*names, *more])}
    lines = [[*names, *more], *([""] * len(position) for _ in rows[1:])]
    for line, row in zip(lines[1:], rows[1:], strict=True):
        for name, cell in zip(rows[0], row, strict=True):
            line[position[name]] = cell
    kinds = ["text" if name.endswith("_id") or name in ("rooms", "reason", "place", "avoids", "origin") else "typed" for name in position]
    body = "".join(
        "<table:table-row>"
        + "".join(xml(cell, "text" if not n else kind) for cell, kind in zip(line, kinds, strict=True))
        + "</table:table-row>"
        for n, line in enumerate(lines)
    )
    return text[:start] + part[:first] + body + text[end:]


def xml(cell: str, kind: str) -> str:
    """A cell. Protected from being merged into its neighbours: empty ones are written out."""
    if not cell:
        return "<table:table-cell/>"
    if kind == "typed" and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", cell):
        return f'<table:table-cell office:value-type="float" office:value="{cell}"><text:p>{cell}</text:p></table:table-cell>'
    if kind == "typed" and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell):
        return f'<table:table-cell office:value-type="date" office:date-value="{cell}"><text:p>{cell}</text:p></table:table-cell>'
    return f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'


@pytest.mark.parametrize(("name", "lang"), [("chasiv-yar", "en"), ("hard-night", "uk")])
def test_a_template_filled_and_saved_reads_as_the_folder(name: str, lang: str, tmp_path: Path) -> None:
    template = tmp_path / "instance.xlsx"
    template.write_bytes(template_workbook(lang))  # type: ignore[arg-type]
    flat = converted(template, "fods", tmp_path)
    text = flat.read_text(encoding="utf-8")
    for sheet, rows in tables_of(ROOT / name).items():
        text = filled(text, sheet, rows)
    flat.write_text(text, encoding="utf-8")
    template.unlink()
    book = converted(flat, "xlsx", tmp_path)
    found, wanted = read_instance(book), read_instance(ROOT / name)
    assert found.sha256 == wanted.sha256
    for field in ("households", "members", "accommodations", "ties", "travel", "places", "standing", "overrides"):
        assert getattr(found, field) == getattr(wanted, field), field
    with zipfile.ZipFile(book) as archive:
        assert b"LibreOffice" in archive.read("docProps/app.xml")


def test_the_results_open_without_a_warning_and_hold_no_formula(tmp_path: Path) -> None:
    texts = {
        "placements.csv": "household_id,accommodation_id,persons,km,cost\nH1,A1,3,12.5,100.0\n'=1+1,'@A2,2,0.0,7.1\n",
        "unplaced.csv": "household_id,persons,priority,reason,explanation,remedy\nH3,1,,no_eligible,Жодна пропозиція не підходить.,\n",
        "quarantined.csv": "file,line,id,column,code,message\n",
        "summary.json": '{"options": {"date": "2026-11-22"}, "persons": {"placed": 5, "unplaced": 1}, "warnings": ["=HYPERLINK(1)"]}',
    }
    book = tmp_path / "results.xlsx"
    book.write_bytes(results_workbook(texts))
    text = converted(book, "fods", tmp_path).read_text(encoding="utf-8")
    assert "table:formula" not in text and "xlink:href" not in text.replace('xlink:href="#', "")
    assert 'office:value="12.5"' in text and "&apos;=1+1" in text.replace("'", "&apos;") and "Жодна" in text
    assert text.count("<table:table table:name=") == 4

"""The guides of the site do what they say: each page is followed from its first line to its last, as somebody would who has just cloned the
project. Files that a page shows are written as it shows them, commands are typed as they stand; what a page leaves to the reader,
such as an export of theirs, is done here."""

from __future__ import annotations

import csv
import io
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from matcher.cli.app import app
from tests.books.kobo import MAIN, export, submissions
from tests.books.making import book, tables_of
from tests.runs import INSTANCES, ROOT, rows_of, table_of, write_table

DOCS = ROOT / "docs"
PAGES = ["index.md", "tutorial.md", "deciding.md", *sorted(f"howto/{path.name}" for path in (DOCS / "howto").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`((?:[\w-]+/)?[\w-]+\.(?:csv|toml))`[^`]*:\s*\Z")
Hands = Callable[[Path], None]


def test_every_page_is_in_the_menu_or_in_the_list_of_decisions() -> None:
    class Reader(yaml.SafeLoader):
        """mkdocs.yml names functions, which are of no interest here."""

    Reader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)
    config = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader=Reader)
    menu = set(re.findall(r"[\w/-]+\.md", str(config["nav"])))
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    decisions = {page for page in pages if re.match(r"decisions/\d", page)}
    assert menu - {"reference/commands.md", "reference/library.md"} == pages - decisions
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (DOCS / "decisions" / "README.md").read_text(encoding="utf-8"))
    assert len(listed) > 20 and sorted(f"decisions/{name}" for name in listed) == sorted(decisions)


def test_the_terminal_in_the_picture_says_what_the_program_says(tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import build_pictures
    finally:
        sys.path.pop(0)
    picture = (DOCS / "images" / "terminal.svg").read_text(encoding="utf-8")
    shown = [re.sub(r"\s+", " ", text) for text in _lines(picture)]
    wanted = [re.sub(r"\s+", " ", text) for text in _lines(build_pictures.drawn(build_pictures.typed(tmp_path)))]
    assert len(wanted) > 30 and shown == wanted, "the words have changed: make pictures"


def _lines(svg: str) -> list[str]:
    found = re.findall(r'<text [^>]*y="([\d.]+)"[^>]*>([^<]*)</text>', svg)
    return ["".join(text for at, text in found if at == y).replace("&#160;", " ") for y in dict.fromkeys(at for at, _ in found)]


def a_folder_with_two_files(folder: Path) -> None:
    """As the first page has it."""
    for name, body in _files(DOCS / "index.md"):
        _write(folder / name, body)


def an_export_and_offers(folder: Path) -> None:
    """Forty submissions with the two questions more that the page speaks of, and offers in the format."""
    main, people = submissions(40, 5)
    more = ["urgency", "relatives_oblast", "relatives_settlement"]
    for number, row in enumerate(main):
        row += ["high", "kyiv_region", "Boryspil"] if number % 7 == 0 else ["normal", "", ""]
    MAIN.extend(more)
    try:
        export(folder / "export.xlsx", main, people)
    finally:
        del MAIN[-len(more) :]
    (folder / "offers").mkdir()
    for name in ("accommodations.csv", "places.csv"):
        shutil.copy(INSTANCES / "chasiv-yar" / name, folder / "offers")


def a_night(folder: Path) -> None:
    """The page on decisions begins after the first night, in the folder of its configuration."""
    (folder / "inbox").mkdir()
    (folder / "nightly.toml").write_text('inbox = "inbox"\noutbox = "outbox"\nhistory = "history.sqlite"\n', encoding="utf-8")
    for command in ("matcher deliver instances/chasiv-yar inbox", "matcher nightly --config nightly.toml"):
        _matcher(command)
    (folder / "decisions.csv").write_text("household_id,action,reason,by\nH009,accept,agreed,hotline\n", encoding="utf-8")


def a_misspelt_number(folder: Path) -> None:
    _first_household(folder, "two")


def the_number_put_back(folder: Path) -> None:
    _first_household(folder, "1")


def _first_household(folder: Path, persons: str) -> None:
    path = folder / "my-town" / "households.csv"
    header, rows = table_of(path)
    rows[0][header.index("persons")] = persons
    write_table(path, header, rows)


def the_template_filled_in(folder: Path) -> None:
    book(folder / "instance.xlsx", tables_of(INSTANCES / "chasiv-yar"))


SUPPLIED: dict[str, Hands] = {"howto/weights.md": a_folder_with_two_files, "howto/kobo.md": an_export_and_offers, "deciding.md": a_night}
BY_HAND: dict[tuple[str, str], Hands] = {
    ("tutorial.md", "matcher validate my-town"): a_misspelt_number,
    ("tutorial.md", "matcher solve instances/chasiv-yar --out out/town --date 2026-11-22"): the_number_put_back,
    ("howto/excel.md", "matcher validate instance.xlsx"): the_template_filled_in,
}
FAILS = {("tutorial.md", "matcher validate my-town"): (3, "households.csv:2 persons not_a_whole_number")}
SAYS = {
    "matcher explain instances/chasiv-yar out/town H017": "A31 in Lviv",
    "matcher explain instances/chasiv-yar out/town H009": "A33 in Drohobych",
    "matcher explain instances/chasiv-yar out/town H060": "has not consented",
    "matcher explain instances/chasiv-yar out/no-ties H017": "0 ties are kept",
    "matcher explain my-town out/declined H009": "A28 in Ternopil",
    "matcher explain instances/chasiv-yar out/protected H031": "It is protected",
    "matcher solve moldova --out results": "4 of 4 persons",
    "matcher map export.xlsx --mapping our.toml --with offers --out ours": "households.priority",
}


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_tells_to_type_works(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("xlsxwriter")
    pytest.importorskip("python_calamine")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "instances").symlink_to(INSTANCES, target_is_directory=True)
    if page in SUPPLIED:
        SUPPLIED[page](tmp_path)
    typed = 0
    for kind, body, before in _blocks(DOCS / page):
        name = NAMED.search(before)
        if kind == "sh":
            for command in _commands(body):
                typed += 1
                _typed(page, command, tmp_path)
        elif name and kind in ("", "toml", "csv"):
            _write(tmp_path / name[1], body)
    assert typed >= 2


def _typed(page: str, command: str, folder: Path) -> None:
    """One command. make demo is tested by whoever has no environment yet; here it does what it does after installing."""
    BY_HAND.get((page, command), lambda _: None)(folder)
    if command == ". .venv/bin/activate":
        return
    if command == "make demo":
        recipe = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert "solve $(DEMO) --out $(OUT)" in recipe
        command = "matcher solve instances/chasiv-yar --out out/chasiv-yar"
    if not command.startswith("matcher "):
        subprocess.run(["bash", "-ec", command], cwd=folder, check=True, timeout=60)
        return
    if " ID " in command:
        command = command.replace(" ID ", f" {rows_of(folder / 'results' / 'placements.csv')[0]['household_id']} ")
    code, said = _matcher(command)
    wanted, words = FAILS.get((page, command), (0, SAYS.get(command, "")))
    assert code == wanted, f"{page}: {command}\n{said}"
    assert words in said, f"{page}: {command} does not say {words!r}\n{said}"


def _matcher(command: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, shlex.split(command, comments=True)[1:])
    return done.exit_code, done.output


def _blocks(page: Path) -> list[tuple[str, str, str]]:
    """(language, text, what stands before it) of every fenced block."""
    text = page.read_text(encoding="utf-8")
    return [(found[1], found[2], text[: found.start()]) for found in FENCE.finditer(text)]


def _commands(body: str) -> list[str]:
    """Commands of a shell block; one with a here-document is several lines long."""
    found = []
    for part in re.finditer(r"^[^\n]*<<'EOF'\n.*?^EOF$|^.+$", body, re.MULTILINE | re.DOTALL):
        found += [part[0]] if "<<" in part[0] else part[0].splitlines()
    return [command for command in found if command.strip()]


def _files(page: Path) -> list[tuple[str, str]]:
    return [(name[1], body) for _, body, before in _blocks(page) if (name := NAMED.search(before))]


def _write(path: Path, body: str) -> None:
    """A file as a page shows it; lines for one that is there already are added."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(body)


def test_rows_of_a_result_go_into_the_next_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fifth step of the guide on Excel: accepted rows as they stand in the results, and one that was declined."""
    pytest.importorskip("xlsxwriter")
    pytest.importorskip("python_calamine")
    monkeypatch.chdir(tmp_path)
    first = tables_of(INSTANCES / "chasiv-yar")
    book(tmp_path / "instance.xlsx", first)
    assert _matcher("matcher solve instance.xlsx --out results --date 2026-11-22")[0] == 0
    text = (tmp_path / "results" / "placements.csv").read_text(encoding="utf-8")
    header, *rows = list(csv.reader(io.StringIO(text)))
    status = header.index("status")
    kept = [[*row[:status], "accepted", *row[status + 1 :]] for row in rows if row[0] in ("H017", "H003") or row[status] != "proposed"]
    declined = next(row for row in rows if row[0] == "H009")
    said_no = {"household_id": "H009", "accommodation_id": declined[1], "action": "forbid"}
    overrides = [*first["overrides"], [said_no.get(column, "") for column in first["overrides"][0]]]
    book(tmp_path / "instance.xlsx", {**first, "placements": [header, *kept], "overrides": overrides})
    code, said = _matcher("matcher solve instance.xlsx --out again --date 2026-11-22")
    assert code == 0, said
    found = {row["household_id"]: row for row in rows_of(tmp_path / "again" / "placements.csv")}
    assert found["H017"]["status"] == "accepted" and found["H017"]["accommodation_id"] == "A31"
    assert found["H009"]["accommodation_id"] != declined[1]

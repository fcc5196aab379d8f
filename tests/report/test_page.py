"""The page in a real browser: quiet, self-contained, usable by keyboard and screen reader, and what it says is what the run says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from matcher.explain import explanations
from matcher.report import data_of_page
from tests.report.browser import chromium, needs_chromium, opened
from tests.runs import INSTANCES, matcher, published, rows_of, scratch, solved

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = needs_chromium
WIDTHS, SCHEMES, LANGUAGES = (390, 1440), ("light", "dark"), ("en", "uk")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@cache
def out() -> Path:
    return published(INSTANCES / "hard-night", scratch() / "page-hard-night")


@cache
def page_in(lang: str) -> Path:
    if lang == "en":
        return out() / "report.html"
    path = scratch() / f"page-{lang}.html"
    ended = matcher("report", out(), "--lang", lang, "--out", path)
    assert ended.returncode == 0, ended.stderr
    return path


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_wrong(browser: Browser, lang: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    for width in WIDTHS:
        with opened(browser, page_in(lang), viewport={"width": width, "height": 900}, color_scheme=scheme) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page is wider than the screen"
            page.locator("#unplaced .opener").first.click()
            page.locator("#placements .opener").first.click()
            for table in page.locator("#unplaced .scroll, #placements .scroll").all():
                assert table.evaluate("one => one.scrollWidth <= one.clientWidth"), "a table is wider than the screen"
            found = Axe().run(page).response["violations"]
            assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []
            page.locator("#placements .detail .act").first.click()
            found = Axe().run(page).response["violations"]
            assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []


def test_search_sort_filter_and_open(browser: Browser) -> None:
    placed, unplaced = rows_of(out() / "placements.csv"), rows_of(out() / "unplaced.csv")
    with opened(browser, page_in("en")) as page:
        table = page.locator("#placements")
        assert f"of {len(placed)} households" in table.locator("[data-count]").inner_text()
        table.get_by_role("searchbox").fill("lviv")
        ids = table.locator(".row .opener").all_inner_texts()
        assert ids == [row["household_id"] for row in placed if row["place"] == "Lviv"]
        table.get_by_role("searchbox").fill("")
        for _ in range(2):
            table.get_by_role("button", name="km", exact=True).click()
        farthest = max(placed, key=lambda row: float(row["km"]))
        assert table.locator(".row .opener").first.inner_text() == farthest["household_id"]
        assert table.locator("th[aria-sort=descending]").inner_text().startswith("km")
        short = page.locator("#unplaced")
        short.locator("select[data-filter=reason]").select_option("no_capacity")
        wanted = {row["household_id"] for row in unplaced if row["reason"] == "no_capacity"}
        assert set(short.locator(".row .opener").all_inner_texts()) == wanted and len(wanted) > 10
        first = short.locator(".row .opener").first
        first.focus()
        page.keyboard.press("Enter")
        assert first.get_attribute("aria-expanded") == "true"
        said = next(row["explanation"] for row in unplaced if row["household_id"] == first.inner_text())
        fitting = said.split()[0]
        assert f"{fitting} offer" in short.locator(".detail").inner_text() and "would suit it" in said
        page.keyboard.press("Enter")
        assert first.get_attribute("aria-expanded") == "false" and short.locator(".detail").count() == 0
        short.get_by_role("searchbox").fill("there is no such household")
        assert "Nothing fits" in short.inner_text()


def test_a_household_without_a_place_is_one_click_away(browser: Browser) -> None:
    unplaced = rows_of(out() / "unplaced.csv")
    with opened(browser, page_in("en")) as page:
        chips = page.locator("#todo [data-show]")
        assert {chip.inner_text() for chip in chips.all()} <= {row["household_id"] for row in unplaced}
        chips.first.click()
        opener = page.locator("#unplaced .row .opener").first
        assert opener.inner_text() == chips.first.inner_text() and opener.get_attribute("aria-expanded") == "true"


def test_a_row_says_why_and_what_else_there_was(browser: Browser) -> None:
    """The same as `matcher explain` says: ties kept and missed, the cost a person, the next best offers, what stood in the way."""
    found = {one.household_id: one for one in explanations(solved(INSTANCES / "hard-night"))}
    looked = 0
    with opened(browser, page_in("en")) as page:
        for row in rows_of(out() / "placements.csv")[:12]:
            page.locator("#placements input[type=search]").fill(row["household_id"])
            page.locator(f"#placements .row[data-id={row['household_id']}] .opener").click()
            said = page.locator("#placements .detail").inner_text()
            one = found[row["household_id"]]
            assert f"{float(row['cost']) / int(row['persons']):,.1f} in all" in said
            for other in one.others + tuple(one.alternatives):
                assert other.accommodation_id in said
                looked += 1
            for tie in one.ties:
                assert (tie.target or "a household") in said
                looked += 1
            page.locator("#placements .opener").first.click()
    assert looked > 20


def test_the_sheet_holds_one_family_and_prints(browser: Browser) -> None:
    placed = rows_of(out() / "placements.csv")
    with opened(browser, page_in("en")) as page:
        page.evaluate("void (window.print = () => { window.printed = (window.printed || 0) + 1; })")
        page.locator("#placements .opener").first.click()
        page.locator("#placements .detail .act").first.click()
        mine = placed[0]
        sheet = page.locator("#sheets")
        assert mine["household_id"] in sheet.inner_text() and mine["accommodation_id"] in sheet.inner_text()
        for row in placed[1:]:
            assert not re.search(rf"\b{row['household_id']}\b", sheet.inner_text())
        page.locator("#sheet-lang").select_option("uk")
        assert "Вам пропонують місце" in sheet.inner_text() or "маєте" in sheet.inner_text()
        page.locator("#sheet-print").click()
        assert page.evaluate("window.printed") == 1
        page.emulate_media(media="print")
        assert page.locator("#sheets").is_visible() and not page.locator("main").is_visible()
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        assert page.locator("main").is_visible()


def test_ukrainian_is_ukrainian(browser: Browser) -> None:
    """No English is left but names of files, codes, and the warnings of a run that was made in English."""
    with opened(browser, page_in("uk")) as page:
        assert page.evaluate("document.documentElement.lang") == "uk"
        text = page.evaluate("document.body.innerText").split("Застереження")[0]
        for line in text.splitlines():
            words = re.sub(r"\b[\w-]+\.(csv|toml)\b|--[\w-]+|consent = yes|\(pin\)|\bhold\b|English|Station hall, Lozova", "", line)
            assert not re.search(r"[A-Za-z]{4,}", words) or re.fullmatch(r"[a-z_]+(\t.*)?", line), line
        assert "Краматорськ" in text and "Kramatorsk" not in text


def test_the_map_names_places_and_draws_ties_on_demand(browser: Browser) -> None:
    with opened(browser, page_in("en")) as page:
        assert page.locator("svg .flows path").count() > 10 and page.locator("svg .areas path").count() == 27
        assert not page.locator("#map-ties").is_visible()
        page.locator("#show-ties").check()
        assert page.locator("#map-ties").is_visible()
        page.locator("[data-oblast=UA46]").click(position={"x": 20, "y": 20}, force=True)
        assert page.locator("#placements select[data-filter=oblast]").input_value() in ("UA46", "")


STRANGE = ("<script>alert(1)</script>", '=HYPERLINK("http://example.org")', "</script><b>x", "{{7*7}}", "a\u2028b", "' onclick='alert(2)")


def test_strange_ids_show_as_text(browser: Browser, tmp_path: Path) -> None:
    quoted = [value.replace('"', '""') for value in STRANGE]
    households = "household_id,persons,place\n" + "".join(f'"{value}",1,Poltava\n' for value in quoted)
    offers = "accommodation_id,place,capacity,kind\n" + "".join(f'"{value}",Lviv,1,apartment\n' for value in quoted[:4])
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "households.csv").write_text(households, encoding="utf-8")
    (folder / "accommodations.csv").write_text(offers, encoding="utf-8")
    ended = matcher("solve", folder, "--out", tmp_path / "out", "--date", "2026-11-22")
    assert ended.returncode == 0, ended.stderr
    with opened(browser, tmp_path / "out" / "report.html") as page:
        dialogs: list[Any] = []
        page.on("dialog", lambda dialog: dialogs.append(dialog.message) or dialog.dismiss())
        shown = page.locator(".opener").all_inner_texts()
        assert sorted(one.replace("\u2028", " ") for one in shown) == sorted(one.replace("\u2028", " ") for one in STRANGE)
        for opener in page.locator(".opener").all():
            opener.click()
        for button in page.locator("[data-show]").all():
            button.click()
        assert page.locator("main b, main script").count() == 0 and dialogs == []
    data = data_of_page((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    assert {row[0] for row in data["placed"]["rows"] + data["unplaced"]["rows"]} == set(STRANGE)


def test_the_public_page_names_nobody(browser: Browser) -> None:
    path = scratch() / "public.html"
    ended = matcher("report", out(), "--public", "--out", path)
    assert ended.returncode == 0, ended.stderr
    html = path.read_text(encoding="utf-8")
    ids = {row["household_id"] for name in ("placements", "unplaced", "placements_protected") for row in rows_of(out() / f"{name}.csv")}
    ids |= {row["accommodation_id"] for row in rows_of(out() / "placements.csv")}
    assert len(ids) > 100 and not [one for one in ids if re.search(rf"\b{re.escape(one)}\b", html)]
    assert "<script" not in html
    with opened(browser, path) as page:
        looked = 0
        for row in page.locator("#fairness tbody tr, #map tbody tr").all():
            for cell in row.locator("td").all_inner_texts()[:4]:  # persons; then a share, km, ties
                assert cell in ("·", "0") or int(cell.replace(",", "")) >= 5, cell
                looked += 1
            for kept, _, every in (cell.partition(" / ") for cell in row.locator("td").all_inner_texts()[6:] if "/" in cell):
                assert min(int(every), int(kept) or 5, int(every) - int(kept) or 5) >= 5
        assert looked > 40

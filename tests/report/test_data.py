"""What the page is made from: the same from the tables of a run as from the run, enough to write the page again, bounded for large runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from matcher import fairness
from matcher.errors import InputError
from matcher.report import Night, data, data_of_page, night, page, public_page
from matcher.stability import Change, Ending
from matcher.summary import summary
from matcher.worth import Advice, FloorPrice, Lead, Worth
from tests.runs import DATE, INSTANCES, matcher, published, rows_of, scratch, solved

HARD = INSTANCES / "hard-night"


def made() -> dict[str, object]:
    result = solved(HARD)
    return data.report_data(result, summary(result))


def test_a_page_holds_all_that_it_is_made_from() -> None:
    for lang in ("en", "uk"):
        html = page(made(), lang)
        assert page(data_of_page(html), lang) == html
    assert page(data_of_page(page(made(), "uk")), "en") == page(made(), "en")


def test_the_tables_of_a_run_give_the_same_page() -> None:
    out = published(HARD, scratch() / "data-hard-night")
    again = scratch() / "again.html"
    ended = matcher("report", out, "--instance", HARD, "--effort", "0", "--out", again)
    assert ended.returncode == 0, ended.stderr
    assert again.read_bytes() == (out / "report.html").read_bytes()
    assert str(again) in ended.stdout


def test_a_page_needs_something_to_be_made_from() -> None:
    out = published(HARD, scratch() / "data-without")
    ended = matcher("report", out, "--public")
    assert ended.returncode == 0 and "replaced" in ended.stderr
    ended = matcher("report", out)
    assert ended.returncode == 3 and "name the instance" in ended.stderr
    (out / "report.html").unlink()
    ended = matcher("report", out)
    assert ended.returncode == 2 and "--instance" in ended.stderr
    ended = matcher("report", out, "--instance", INSTANCES / "chasiv-yar")
    assert ended.returncode == 2 and "is not the instance" in ended.stderr
    with pytest.raises(InputError, match="holds no data"):
        data_of_page("<html></html>")


def test_a_large_run_lists_some_and_counts_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "MOST", 20)
    monkeypatch.setattr("matcher.report.people.MOST", 20)
    large = made()
    unplaced = rows_of(published(HARD, scratch() / "data-large") / "unplaced.csv")
    assert large["placed"]["rows"] == [] and len(large["unplaced"]["rows"]) == 20  # type: ignore[index]
    assert large["unplaced"]["missing"] == len(unplaced) - 20  # type: ignore[index]
    assert sum(households for households, _ in large["reasons"].values()) == len(unplaced)  # type: ignore[attr-defined]
    assert "stand in placements.csv only" in page(large) and public_page(large)


def test_nothing_of_a_protected_household_is_in_it() -> None:
    html = page(made())
    protected = rows_of(published(HARD, scratch() / "data-protected") / "placements_protected.csv")
    assert len(protected) == 2 and not [row for row in protected if row["household_id"] in html]


def test_a_night_with_many_changes_lists_those_first_that_had_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    result = solved(HARD)
    rows = [row for row in result.placements if not row.protected]
    changes = [
        Change(r.household_id, "new" if i % 2 else "changed", None if i % 2 else "O07", r.accommodation_id) for i, r in enumerate(rows)
    ]
    ending = [Ending(r.household_id, "moved_in", r.accommodation_id, DATE) for r in rows[:9]]
    whole = data.report_data(result, summary(result), Night(changes, ending))
    assert (len(whole["changes"]), whole["changes_more"], len(whole["ending"]), whole["ending_more"]) == (len(rows), 0, 9, 0)
    most = len(rows) // 4
    monkeypatch.setattr(night, "MOST_LISTED", most)
    cut = data.report_data(result, summary(result), Night(changes, ending[:9]))
    assert len(cut["changes"]) == most and cut["changes_more"] == len(rows) - most
    assert [row[0] for row in cut["changes"]] == [c.household_id for c in changes if c.change == "changed"][:most]
    for lang, words in (("en", "more changes stand in changes.csv"), ("uk", "у changes.csv")):
        assert words in page(cut, lang) and words not in page(whole, lang)


def test_the_page_says_which_offers_to_look_for_and_what_floors_cost() -> None:
    offer = {"place": "Kyiv", "place_uk": "Київ", "adm1": "UA80", "kind": "house", "capacity": 6, "features": ("step_free",), "pets": ()}
    gain = {
        "worth": 100,
        "households": 2,
        "persons": 6,
        "cost": 90,
        "ties": -1,
        "km10": 12345,
        "proved": True,
        "option": ("--add-offer", "x"),
    }
    floor = FloorPrice("older_person", 9, 8, persons=-2, cost=400, proved=True)
    result = replace(solved(HARD), worth=Worth(Advice((Lead(**offer, **gain),), 5, 4), (floor,)))  # type: ignore[arg-type]
    found = data.report_data(result, summary(result))
    english, ukrainian = page(found, "en"), page(found, "uk")
    assert "House for 6 persons in Kyiv, with: no steps" in english and "4 other possible offers were not tried" in english
    for cell in (">+6<", ">−1<", ">+1,235<"):
        assert cell in english
    assert "asks for 9 persons placed; 8 are" in english and "older people" in english
    assert "Київ" in ukrainian.split('id="h-help"')[1] and "House for" not in ukrainian
    assert page(data_of_page(english), "uk") == ukrainian
    assert "Offers most worth finding" not in page(made(), "en")


def test_the_page_says_whether_a_more_urgent_household_would_have_fitted() -> None:
    found = made()
    count = found["envy"]["households"]  # type: ignore[index]
    assert count == fairness(solved(HARD), 0).envy.households
    html = page(found)
    assert "where a less urgent one is" in html


def test_a_plan_far_from_the_best_says_so_above_all_else() -> None:
    warning = "run it again and let it take longer"
    assert warning not in page(made())
    for gap, said in ((0.049, False), (0.3, True)):
        html = page({**made(), "status": "feasible", "proved_by": None, "gap": gap, "gap_km_per_person": 400.0})
        assert (warning in html) is said
        assert not said or html.index(warning) < html.index('id="numbers"')

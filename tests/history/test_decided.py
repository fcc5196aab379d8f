"""Decisions merged into what was delivered: kept, ruled out, held, closed, dropped, and nothing lost without a word."""

from __future__ import annotations

import datetime as dt

from matcher import instance_from_frames, solve
from matcher.decided import Merged, merge
from matcher.history import Decision, Proposal, standings
from matcher.model import Instance
from tests.history.test_history import DAY

NIGHT = DAY + dt.timedelta(1)


def delivered(**more: object) -> Instance:
    import pandas as pd

    households = {"household_id": ["H1", "H2", "H3", "H4"], "persons": [2, 2, 2, 2], "place": ["Kyiv"] * 4}
    offers = {
        "accommodation_id": ["A1", "A2", "A3", "A4"], "place": ["Kyiv", "Lviv", "Lviv", "Lviv"], "capacity": [2, 2, 2, 8],
        "kind": ["apartment", "apartment", "apartment", "dormitory"],
    }  # fmt: skip
    frames: dict[str, object] = {"households": pd.DataFrame(households), "accommodations": pd.DataFrame(offers)}
    return instance_from_frames(**{**frames, **more})  # type: ignore[arg-type]


def proposed(**homes: str) -> list[Proposal]:
    return [Proposal(h, a, "proposed", (), DAY, 2, 0, 0) for h, a in homes.items()]


def decided(action: str, household: str | None, offer: str | None, until: dt.date | None = None) -> Decision:
    return Decision(action, household, offer, "other", "household", "clerk", DAY, until)  # type: ignore[arg-type]


def tonight(instance: Instance, proposals: list[Proposal], *decisions: Decision, date: dt.date = NIGHT, ending: int | None = 30) -> Merged:
    return merge(instance, standings(date, proposals, decisions, 7), ending_days=ending)


def rows(merged: Merged) -> dict[str, tuple[str, str]]:
    return {row.household_id: (row.accommodation_id, row.status) for row in merged.instance.standing}


def test_each_decision_has_its_effect() -> None:
    decisions = [
        decided("accept", "H1", "A1"),
        decided("decline", "H2", "A2"),
        decided("withdraw", None, "A3"),
        decided("park", "H4", None),
    ]
    merged = tonight(delivered(), proposed(H1="A1", H2="A2", H3="A3", H4="A4"), *decisions)
    assert rows(merged) == {"H1": ("A1", "accepted")}
    assert {(o.household_id, o.action, o.accommodation_id) for o in merged.instance.overrides} == {
        ("H2", "forbid", "A2"), ("H4", "hold", None),
    }  # fmt: skip
    assert {o.accommodation_id: o.status for o in merged.instance.accommodations} == {
        "A1": "open", "A2": "open", "A3": "closed", "A4": "open",
    }  # fmt: skip
    result = solve(merged.instance, date=NIGHT)
    homes = {row.household_id: (row.accommodation_id, row.status) for row in result.placements}
    assert homes.pop("H3")[0] in ("A2", "A4")
    assert homes == {"H1": ("A1", "accepted"), "H2": ("A4", "proposed")}
    assert [(row.household_id, row.reason) for row in result.unplaced] == [("H4", "held")]


def test_a_pin_that_was_overtaken_does_not_stop_the_night() -> None:
    import pandas as pd

    def pinned(**cells: str) -> Instance:
        row = {"household_id": "H1", "accommodation_id": "A2", "action": "pin", "decided_at": DAY.isoformat(), **cells}
        return delivered(overrides=pd.DataFrame([row]))

    later = (DAY + dt.timedelta(1)).isoformat()
    cases = [
        (pinned(), [decided("decline", "H1", "A2")], "pin_declined", {("forbid", "A2")}),
        (pinned(accommodation_id="", place="Lviv"), [decided("decline", "H1", "A3")], "pin_declined", {("forbid", "A3")}),
        (pinned(), [decided("withdraw", None, "A2")], "pin_withdrawn", set()),
        (pinned(), [decided("park", "H1", None)], "pin_parked", {("hold", None)}),
        (pinned(decided_at=later), [decided("decline", "H1", "A2")], "", {("pin", "A2")}),
        (pinned(), [decided("decline", "H1", "A4")], "", {("pin", "A2")}),
        (pinned(expires_at=DAY.isoformat()), [decided("decline", "H1", "A4")], "", {("pin", "A2"), ("forbid", "A4")}),
    ]
    for instance, decisions, code, overrides in cases:
        merged = tonight(instance, [], decided("accept", "H3", "A3"), decided("decline", "H3", "A3"), *decisions)
        assert {(o.action, o.accommodation_id) for o in merged.instance.overrides if o.household_id == "H1"} == overrides
        assert {notice.code for notice in merged.notices} == ({code} if code else set())
        solve(merged.instance, date=NIGHT)
    assert len(cases) == 7


def test_proposals_go_on_and_run_out() -> None:
    for days, stands in ((0, True), (6, True), (7, False), (30, False)):
        merged = tonight(delivered(), proposed(H1="A1"), date=DAY + dt.timedelta(days))
        assert rows(merged) == ({"H1": ("A1", "proposed")} if stands else {})
        assert merged.lapsed == ({} if stands else {"H1": "A1"})
        assert merged.since == ({("H1", "A1"): DAY} if stands else {})


def test_what_is_not_delivered_any_more_is_named() -> None:
    decisions = [decided("accept", "H9", "A1"), decided("accept", "H1", "A9"), decided("move-in", "H2", "A8")]
    merged = tonight(delivered(), proposed(H3="A7", H8="A1"), *decisions)
    assert rows(merged) == {}
    assert {notice.code: notice.message.split(" ")[0].rstrip(",:") for notice in merged.notices} == {
        "resident_gone": "H9", "fixed_offer_missing": "H1", "offer_gone": "H3", "household_gone": "H8",
    }  # fmt: skip
    assert {o.household_id for o in merged.instance.overrides if o.action == "hold"} == {"H1", "H2"}


def test_the_sum_is_that_of_the_merged_rows() -> None:
    plain = delivered()
    same = tonight(plain, [])
    assert same.instance.sha256 == plain.sha256 and same.instance == plain
    one, other = (tonight(plain, proposed(H1=home)) for home in ("A1", "A2"))
    assert len({plain.sha256, one.instance.sha256, other.instance.sha256}) == 3

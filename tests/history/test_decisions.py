"""Decisions from the command line and from files: held against what stands, recorded once, all or none."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from matcher.asked import Asked, asked, read_decisions
from matcher.cli.app import app
from matcher.decisions import record
from matcher.errors import InputError
from matcher.history import ACTIONS, History, open_history, reasons_of
from tests.history.test_history import DAY, proposal, publish

NEXT = DAY + dt.timedelta(1)


def a_night(history: History, date: dt.date = DAY) -> None:
    """H1 to H4 are proposed A1 to A4; H5 waits; A5 is free; H6 stands in A6 as the delivery says."""
    run = history.start(date)
    with history.publishing(run) as publication:
        publication.add_proposals([*(proposal(f"H{i}", f"A{i}") for i in range(1, 5)), proposal("H6", "A6", status="moved_in")])
        ids = [("household", f"H{i}") for i in range(1, 7)] + [("accommodation", f"A{i}") for i in range(1, 7)]
        publication.add_fingerprints(dict.fromkeys(ids, "x=1"))


def say(action: str, household: str | None, offer: str | None = None, until: dt.date | None = None, day: dt.date = DAY) -> Asked:
    return asked(action, household, offer, "other", "clerk", until, day)


def states(history: History, date: dt.date = NEXT) -> dict[str, tuple[str, str | None]]:
    return {h: (s.state, s.accommodation_id) for h, s in history.standings(date, 7).households.items()}


def fault_of(history: History, *rows: Asked) -> str:
    before = history.last_decision()
    with pytest.raises(InputError) as caught:
        record(history, rows, today=DAY)
    assert history.last_decision() == before, "a refused decision was recorded"
    return " ".join(fault.code for fault in caught.value.faults)


def test_a_proposal_is_accepted_and_kept(history: History) -> None:
    a_night(history)
    done = record(history, [say("accept", "H1"), say("accept", "H2", "A2")], today=DAY)
    assert [(one.number, one.accommodation_id, one.rooms) for one in done.new] == [(1, "A1", (2, 2)), (2, "A2", (2, 2))]
    assert states(history)["H1"] == ("accepted", "A1")
    assert states(history, DAY + dt.timedelta(300))["H2"] == ("accepted", "A2")
    record(history, [say("move-in", "H1")], today=DAY)
    assert states(history)["H1"] == ("moved_in", "A1")
    record(history, [say("move-out", "H1")], today=DAY)
    assert states(history)["H1"] == ("waiting", None)
    publish(history, NEXT, proposal("H1", "A1", NEXT), decisions_upto=history.last_decision())
    assert states(history)["H1"] == ("proposed", "A1"), "a later run may propose it again"


def test_a_decline_by_either_side_rules_the_pair_out(history: History) -> None:
    a_night(history)
    rows = [
        asked("decline", "H1", None, "too_far", "clerk", None, DAY), asked("decline", "H2", "A2", "host_not_suitable", "clerk", None, DAY),
        say("accept", "H3"), say("decline", "H3"), say("decline", "H5", "A5"),
    ]  # fmt: skip
    done = record(history, rows, today=DAY)
    assert [one.side for one in done.new[:2]] == ["household", "host"]
    stands = history.standings(NEXT, 7)
    for household, offer in (("H1", "A1"), ("H2", "A2"), ("H3", "A3"), ("H5", "A5")):
        assert stands.of(household).state == "waiting"
        assert dict(stands.of(household).ruled_out) == {offer: None}
    assert stands.of("H4").state == "proposed"


def test_a_withdrawal_closes_the_offer_and_frees_who_accepted_it(history: History) -> None:
    a_night(history)
    record(history, [say("accept", "H1"), say("withdraw", None, "A1"), say("withdraw", "H2", until=NEXT)], today=DAY)
    stands = history.standings(NEXT, 7)
    assert stands.of("H1").state == stands.of("H2").state == "waiting"
    assert dict(stands.withdrawn) == {"A1": dt.date.max, "A2": NEXT}
    later = history.standings(NEXT + dt.timedelta(1), 7)
    assert dict(later.withdrawn) == {"A1": dt.date.max}
    assert later.of("H1").state == "waiting", "what was accepted before does not come back by itself"
    record(history, [say("withdraw", None, "A1", DAY - dt.timedelta(1))], today=DAY)
    assert history.standings(NEXT, 7).of("H1").state == "waiting"
    assert dict(history.standings(NEXT, 7).withdrawn) == {"A2": NEXT}


def test_parked_households_wait_until_their_day(history: History) -> None:
    a_night(history)
    record(history, [say("park", "H1", until=NEXT), say("park", "H5")], today=DAY)
    assert history.standings(NEXT, 7).of("H1").parked == NEXT
    assert history.standings(NEXT, 7).of("H1").state == "waiting"
    assert history.standings(NEXT + dt.timedelta(1), 7).of("H1").parked is None
    assert history.standings(NEXT, 7).of("H5").parked == dt.date.max
    record(history, [say("accept", "H1")], today=DAY)
    assert history.standings(NEXT, 7).of("H1").state == "accepted"


def test_an_acceptance_with_an_end_lapses_unless_they_move_in(history: History) -> None:
    a_night(history)
    record(history, [say("accept", "H1", until=NEXT), say("accept", "H2", until=NEXT), say("move-in", "H2")], today=DAY)
    assert states(history)["H1"] == ("accepted", "A1")
    after = states(history, NEXT + dt.timedelta(1))
    assert after["H1"][0] != "accepted" and after["H2"] == ("moved_in", "A2")


def test_what_does_not_fit_is_refused_and_nothing_is_recorded(history: History) -> None:
    a_night(history)
    record(history, [say("accept", "H1"), say("move-in", "H2"), say("withdraw", None, "A3")], today=DAY)
    cases = {
        "unknown_household": [say("accept", "H9"), say("park", "h1")],
        "unknown_accommodation": [say("decline", "H4", "A9"), say("withdraw", None, "a1")],
        "no_proposal": [say("accept", "H5"), say("accept", "H4", "A5"), say("decline", "H5"), say("move-in", "H5"), say("withdraw", "H5")],
        "already": [say("accept", "H1", "A1", NEXT), say("accept", "H2"), say("move-in", "H2", day=NEXT), say("park", "H1")],
        "moved_in": [say("decline", "H2"), say("decline", "H6")],
        "not_moved_in": [say("move-out", "H1"), say("move-out", "H2", "A1"), say("move-out", "H5")],
        "withdrawn": [say("accept", "H3")],
    }
    count = 0
    for code, rows in cases.items():
        for row in rows:
            assert fault_of(history, row) == code, row
            assert fault_of(history, say("accept", "H4"), row) == code, "one row that does not fit refuses them all"
            count += 1
    assert count == 19


def test_a_delivered_fact_can_be_decided_about(history: History) -> None:
    a_night(history)
    record(history, [say("move-out", "H6")], today=DAY)
    assert "A6" in history.standings(NEXT, 7).of("H6").ended


def test_the_same_words_are_recorded_once(history: History) -> None:
    a_night(history)
    rows = read_decisions("action,household_id,accommodation_id,reason,by\naccept,H1,A1,agreed,clerk\ndecline,H2,A2,too_far,clerk\n")
    assert len(record(history, rows, today=DAY, source="decisions.csv").new) == 2
    again = record(history, [*rows, *rows], today=NEXT, source="decisions.csv")
    assert again.new == () and [number for _, number in again.repeated] == [1, 2, 1, 2]
    assert [one.decided_at for one in history.decisions()] == [DAY, DAY]


def test_a_delivery_goes_on_without_the_rows_that_do_not_fit(history: History) -> None:
    a_night(history)
    rows = read_decisions("action;household;accommodation;reason;decided_by\naccept;H1;A1;agreed;clerk\naccept;H5;A5;agreed;clerk\n")
    done = record(history, rows, today=DAY, source="decisions.csv", pass_over=True)
    assert [one.household_id for one in done.new] == ["H1"]
    assert [(fault.file, fault.line, fault.code) for fault in done.refused] == [("decisions.csv", 3, "no_proposal")]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", ["empty_file"]),
        ("household_id,until\nH1,\n", ["missing_column"]),
        ("action,household_id,reason,by,by\n", ["duplicate_column"]),
        ("action,household_id,reason,by\nacept,H1,agreed,clerk\n", ["unknown_word"]),
        ("action,household_id,reason,by\naccept,H1,because,clerk\naccept,,agreed,\n", ["unknown_word", "required", "required"]),
        (
            "action,household_id,reason,by,until\naccept,H1,agreed,x,tomorrow\npark,H1,other,x,2026-02-30\n",
            ["not_a_date", "not_a_date"],
        ),
        ("action,household_id,reason,by\naccept,H1,agreed\n", ["wrong_cell_count"]),
        ('action,household_id,reason,by\naccept,"H1,agreed,clerk\n', ["unclosed_quote"]),
        ("action,household_id,reason,by,until\nmove-in,H1,arrived,clerk,2026-12-01\n", ["not_needed"]),
        ("action,household_id,accommodation_id,reason,by\npark,H1,A1,other,clerk\n", ["not_needed"]),
    ],
)
def test_faults_of_a_file_are_named_all_at_once(text: str, codes: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        read_decisions(text)
    assert sorted(fault.code for fault in caught.value.faults) == sorted(codes)
    assert all(fault.file == "decisions.csv" for fault in caught.value.faults)


def test_files_are_read_as_the_other_files_are() -> None:
    plain = read_decisions(
        "action,household_id,accommodation_id,reason,by,until\nACCEPT,H1,A1,Agreed,clerk,2026-12-01\nmove_in,H2,,arrived,x,\n"
    )
    other = read_decisions(
        "\ufeffBy;Reason;Action;Household_id;accommodation_id;until;note\r\n#a;#b;#c;#d;#e;#f;#g\r\n\r\n"
        'clerk;agreed;accept;"H1";A1;2026-12-01;x\r\nx;arrived;move-in; H2 ;;;\r\n'
    )
    assert [(a.action, a.household_id, a.accommodation_id, a.until, a.key) for a in plain] == [
        (a.action, a.household_id, a.accommodation_id, a.until, a.key) for a in other
    ]
    assert [row.line for row in other] == [4, 5]


def command(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["decide", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def at(tmp_path: Path) -> list[str]:
    path = tmp_path / "history.sqlite"
    with open_history(path, create=True) as history:
        a_night(history)
    return ["--history", str(path)]


def test_the_command_records_and_says_so(at: list[str], tmp_path: Path) -> None:
    code, out, err = command("accept", "--household", "H1", "--reason", "agreed", "--by", "coordinator", *at)
    assert (code, out, err) == (0, "Recorded as number 1: accept of H1 (agreed)\n", "")
    assert "A1" not in out, "an accommodation was named, and the household may be protected"
    code, out, err = command("accept", "--household", "H1", "--reason", "agreed", "--by", "coordinator", *at)
    assert (code, out) == (0, "") and "recorded before as number 1" in err
    code, out, err = command("park", "--household", "H5", "--reason", "in_hospital", "--by", "x", "--until", "2026-12-01", "--json", *at)
    written: Any = json.loads(out)
    assert (code, written["recorded"][0]["until"]) == (0, "2026-12-01")
    file = tmp_path / "decisions.csv"
    file.write_text("action,household_id,accommodation_id,reason,by\ndecline,H2,A2,host_pets,clerk\n", encoding="utf-8")
    assert command("--file", file, *at)[0] == 0
    with open_history(at[1]) as history:
        assert [(one.action, one.source) for one in history.decisions()] == [
            ("accept", "command"), ("park", "command"), ("decline", "decisions.csv"),
        ]  # fmt: skip


def test_the_command_refuses_with_the_right_code(at: list[str], tmp_path: Path) -> None:
    by = ["--by", "clerk"]
    cases = [
        (2, ["accept", "--household", "H1", *at]),
        (2, ["--household", "H1", "--reason", "agreed", *by, *at]),
        (2, ["accept", "--household", "H1", "--reason", "agreed", *by, "--file", "x.csv", *at]),
        (2, ["--file", tmp_path / "none.csv", *at]),
        (2, ["park", "--household", "H1", "--reason", "other", *by, "--until", "soon", *at]),
        (3, ["accept", "--household", "H1", "--reason", "nonsense", *by, *at]),
        (3, ["take", "--household", "H1", "--reason", "agreed", *by, *at]),
        (3, ["accept", "--household", "H5", "--reason", "agreed", *by, *at]),
        (1, ["accept", "--household", "H1", "--reason", "agreed", *by, "--history", tmp_path / "none.sqlite"]),
    ]
    for wanted, arguments in cases:
        code, out, err = command(*arguments)
        assert (code, out) == (wanted, ""), (arguments, err)
        assert err.strip() and "A1" not in err
    assert "agreed_by_phone" in command("accept", "--household", "H1", "--reason", "nonsense", *by, *at)[2]
    with open_history(at[1]) as history:
        assert history.last_decision() == 0


def test_what_was_decided_can_be_listed(at: list[str]) -> None:
    assert command("--list", *at)[1] == "Nothing has been decided yet.\n"
    command("accept", "--household", "H1", "--reason", "agreed", "--by", "coordinator", *at)
    command("withdraw", "--accommodation", "A2", "--reason", "repairs", "--by", "x", "--until", "2026-12-01", *at)
    code, out, _ = command("--list", *at)
    assert code == 0 and [line.split()[0] for line in out.splitlines()] == ["1", "2"]
    assert "by coordinator" in out and "through 2026-12-01" in out and "A1" not in out
    assert [one["number"] for one in json.loads(command("--list", "--household", "H1", "--json", *at)[1])] == [1]


def test_every_action_has_codes_for_both_sides() -> None:
    code, out, _ = command("--reasons")
    assert code == 0
    for action in ACTIONS:
        assert action in out
        assert {"household", "host"} <= set(reasons_of(action).values())
        assert "other" in reasons_of(action)
    assert json.loads(command("--reasons", "--json")[1])["decline"]["too_far"] == "household"


def test_only_the_last_published_run_counts(history: History) -> None:
    a_night(history)
    publish(history, NEXT, proposal("H1", "A5", NEXT))
    assert fault_of(history, say("accept", "H1", "A1")) == "no_proposal"
    assert fault_of(history, say("accept", "H2")) == "no_proposal"
    assert record(history, [say("accept", "H1")], today=NEXT).new[0].accommodation_id == "A5"

"""`matcher runs`, `matcher history`, `matcher doctor` as people use them, and what they say of protected households."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from matcher import Policy, SolveOptions, read_instance, solve
from matcher.asked import asked
from matcher.cli.app import app
from matcher.decided import merge, proposals_of
from matcher.decisions import record
from matcher.doctor import Finding, examine
from matcher.fingerprints import changed_parts, fingerprints
from matcher.history import History, HistoryError, open_history
from matcher.io.reassemble import replaced
from matcher.model import Instance
from matcher.policy import UnplacedPolicy
from matcher.summary import summary
from tests.history.test_history import DAY, proposal, publish
from tests.runs import INSTANCES

NEXT = DAY + dt.timedelta(1)


def command(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def night(history: History, instance: Instance, date: dt.date, policy: Policy | None = None) -> None:
    """What a nightly run does, without its folder."""
    policy = policy or Policy()
    upto, last = history.last_decision(), history.last_published(on=date)
    merged = merge(instance, history.standings(date, 7), ending_days=30)
    options = SolveOptions(date=date, effort=0.2)
    result = solve(merged.instance, policy, options=options)
    run = history.start(date)
    numbers = summary(result)
    values = {"cost": result.cost.total, "gap": result.gap, "counts": {"persons": numbers["persons"], "households": numbers["households"]}}
    with history.publishing(
        run, status=result.status, decisions_upto=upto, based_on=None if last is None else last.id, **values
    ) as publication:
        publication.add_proposals(proposals_of(result.placements, merged, date))
        publication.add_fingerprints(fingerprints(instance, policy, options))


def changed(instance: Instance, field: str, position: int, **values: object) -> Instance:
    rows = getattr(instance, field)
    return instance.model_copy(update={field: replaced(rows, {position: rows[position].model_copy(update=values)})})


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, str]]:
    """(a history of two nights, its notable households). Between them: a decline, an offer closed, a household's row changed."""
    path = tmp_path_factory.mktemp("nights") / "history.sqlite"
    instance = read_instance(INSTANCES / "chasiv-yar")
    with open_history(path, create=True) as history:
        night(history, instance, DAY)
        free = [p for p in history.proposals(history.run("2026-11-22")) if p.status == "proposed"]
        hidden = next(p for p in free if p.protected)
        declining, losing = [p for p in free if not p.protected][:2]
        decided = [asked("decline", p.household_id, None, "too_far", "clerk", None, DAY) for p in (declining, hidden)]
        record(history, decided, today=DAY)
        offers = [offer.accommodation_id for offer in instance.accommodations]
        instance = changed(instance, "accommodations", offers.index(losing.accommodation_id), status="closed")
        night(history, instance, NEXT, Policy(unplaced=UnplacedPolicy(km_per_day_waited=3)))  # type: ignore[arg-type]
        before, after = ({p.household_id: p for p in history.proposals(history.run(name))} for name in ("2026-11-22", "2026-11-23"))
        names = {"declining": declining.household_id, "hidden": hidden.household_id, "losing": losing.household_id}
        for p in (declining, hidden, losing):
            other = after.get(p.household_id)
            assert other is None or other.accommodation_id != before[p.household_id].accommodation_id
    return str(path), names


def test_a_difference_names_who_moved_and_which_input_changed(nights: tuple[str, dict[str, str]]) -> None:
    path, names = nights
    code, out, _ = command("runs", "diff", "2026-11-22", "2026-11-23", "--history", path, "--json")
    found: Any = json.loads(out)
    moves = {move["household_id"]: move for move in found["moves"]}
    assert code == 0
    assert moves[names["declining"]]["why"][0] == "decision 1: decline (too_far)"
    assert "offer before: status changed" in moves[names["losing"]]["why"]
    assert found["inputs"] == {"accommodation": {"changed": 1}}
    assert found["settings"] == ["policy: unplaced.km_per_day_waited"]
    code, text, _ = command("runs", "diff", "1", "2", "--history", path)
    assert code == 0 and "policy: unplaced.km_per_day_waited changed" in text


def test_protected_households_are_named_by_id_and_changed_only(nights: tuple[str, dict[str, str]]) -> None:
    path, names = nights
    for json_ in ([], ["--json"]):
        out = "".join(
            command("runs", *arguments, "--history", path, *json_)[1]
            for arguments in (["diff", "1", "2"], ["diff", "2", "1"], ["list"], ["show", "1"], ["show", "2"])
        )
        lines = [line.split() for line in out.splitlines() if names["hidden"] in line]
        assert lines == [[names["hidden"], "changed"]] * 2 if not json_ else len(lines) == 2
    plain = json.loads(command("runs", "diff", "1", "2", "--history", path, "--json")[1])
    assert {"household_id": names["hidden"], "change": "changed"} in plain["moves"]


def test_runs_are_listed_and_shown(nights: tuple[str, dict[str, str]]) -> None:
    path, _ = nights
    code, out, _ = command("runs", "list", "--history", path)
    assert code == 0 and [line.split()[1] for line in out.splitlines()[1:]] == ["2026-11-23", "2026-11-22"]
    assert len(json.loads(command("runs", "list", "--limit", "1", "--history", path, "--json")[1])) == 1
    shown = json.loads(command("runs", "show", "2026-11-23", "--history", path, "--json")[1])
    assert (shown["id"], shown["outcome"], shown["decisions_upto"], shown["based_on"]) == (2, "published", 2, 1)
    assert sum(shown["placements"].values()) == shown["counts"]["households"]["placed"]
    for wrong in ("3", "2026-11-24", "x"):
        code, out, err = command("runs", "show", wrong, "--history", path)
        assert (code, out) == (1, "") and "no run" in err


def test_runs_that_cannot_be_compared_are_refused(history: History) -> None:
    from matcher.differences import difference

    publish(history, DAY)
    history.close_run(history.start(NEXT), "refused", "empty")
    with pytest.raises(HistoryError, match="no placements"):
        difference(history, history.run(1), history.run(2))


def test_fingerprints_tell_columns_apart_and_nothing_else() -> None:
    instance = read_instance(INSTANCES / "chasiv-yar")
    options = SolveOptions(date=DAY)
    one = fingerprints(instance, Policy(), options)
    assert fingerprints(instance, Policy(), SolveOptions(date=NEXT, isolate=True)) == one
    other = fingerprints(changed(instance, "households", 0, priority=5, max_km=None, persons=9), Policy(), options)
    key = ("household", instance.households[0].household_id)
    assert {k for k in one if one[k] != other[k]} == {key}
    assert set(changed_parts(one[key], other[key])) <= {"priority", "max_km", "persons"}
    assert "persons" in changed_parts(one[key], other[key])
    assert changed_parts(None, "x=1") == ("added",) and changed_parts("x=1", None) == ("removed",)
    assert len(one) > len(instance.households) + len(instance.accommodations)


def wrong(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.what for finding in findings if not finding.right}


def test_the_doctor_finds_what_is_wrong(history: History, address: str, tmp_path: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    server = set() if history.path is not None else {"clock"}  # a database server has a clock of its own
    assert wrong(examine(address, now=now)) == {"last run"}
    publish(history, DAY)
    assert wrong(examine(address, inbox=tmp_path, outbox=tmp_path / "new", now=now)) == set()
    assert len(history.runs()) == 1, "the trial row was left behind"
    assert wrong(examine(address, now=now + dt.timedelta(hours=27))) == {"last run"} | server
    assert wrong(examine(address, now=now - dt.timedelta(hours=1))) == {"clock"}
    assert "clock" in wrong(examine(address, now=dt.datetime(1970, 1, 1, tzinfo=dt.UTC)))
    assert wrong(examine(address, inbox=tmp_path / "none", now=now)) == {"inbox"}
    history.close_run(history.start(NEXT), "failed", "the disk was full")
    assert wrong(examine(address, now=now)) == {"newest run"}
    history.start(NEXT, now=now - dt.timedelta(hours=5))
    assert wrong(examine(address, now=now)) == {"unfinished run"}
    (tmp_path / "file").write_text("")
    assert wrong(examine(address, outbox=tmp_path / "file", now=now)) == {"outbox", "unfinished run"}


def test_the_doctor_finds_a_damaged_or_open_file(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    with open_history(path, create=True) as history:
        for i in range(50):
            publish(history, DAY + dt.timedelta(i), *(proposal(f"H{j}", "A") for j in range(50)))
    path.chmod(0o644)
    assert wrong(examine(str(path))) == {"rights"}
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 6000] = b"\xff" * 6000
    path.write_bytes(data)
    assert wrong(examine(str(path))) & {"database", "history"}
    assert wrong(examine(str(tmp_path / "none.sqlite"))) == {"history"}


def test_the_doctor_ends_with_an_exit_code(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    with open_history(path, create=True) as history:
        publish(history, DAY)
    code, out, _ = command("doctor", "--history", path)
    assert code == 0 and "WRONG" not in out
    code, out, _ = command("doctor", "--history", path, "--late-after", "0", "--json")
    assert code == 1 and [f["what"] for f in json.loads(out)["findings"] if not f["right"]] == ["last run"]
    code, out, err = command("doctor")
    assert code == 2 and "nightly.toml" in err


def test_backup_restore_and_purge_from_the_command_line(tmp_path: Path) -> None:
    path, file = tmp_path / "history.sqlite", tmp_path / "backup"
    with open_history(path, create=True) as history:
        publish(history, DAY, proposal("SECRET-ID", "A1"))
    assert command("history", "backup", file, "--history", path)[0] == 0
    assert command("history", "backup", file, "--history", path)[0] == 2
    before = path.read_bytes()
    assert before == file.read_bytes()
    code, out, _ = command("history", "purge", "--older-than", NEXT, "--history", path)
    assert code == 0 and "1 household" in out and b"SECRET-ID" not in path.read_bytes()
    assert command("history", "restore", file, "--history", path)[0] == 0
    assert path.read_bytes() == before
    for older in ("soon", "-5", "2026-02-30", "999999999"):
        assert command("history", "purge", f"--older-than={older}", "--history", path)[0] == 2
    assert path.read_bytes() == before
    code, out, _ = command("history", "purge", "--older-than", "36500", "--history", path, "--json")
    assert code == 0 and json.loads(out)["households"] == 0

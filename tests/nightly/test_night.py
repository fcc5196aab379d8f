"""What a night does, seen from outside: folders, history, log, metrics, hooks, exit codes."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from matcher import apart
from matcher.cli.app import app
from matcher.errors import ExitCode, UsageError
from matcher.nightly.config import read_config
from matcher.nightly.lock import LockHeld, locked
from matcher.nightly.night import Night, NightFailed, run_night
from matcher.strategies import isolated
from matcher.verify import verify
from tests.nightly.test_fallback import ENDS, PRELUDE
from tests.nightly.world import DATE, World, other, tiny
from tests.runs import INSTANCES, command, environ, generated, rows_of, table_of, write_table

HARD = INSTANCES / "hard-night"


def night(world: World, date: str = DATE) -> Night:
    return run_night(read_config(world.config), dt.date.fromisoformat(date))


def refused(world: World, date: str = DATE) -> NightFailed:
    """A night that must fail, and leave everything that anybody sees as it was."""
    before, latest = world.published(), (world.outbox / "latest").readlink() if (world.outbox / "latest").exists() else None
    with pytest.raises(NightFailed) as caught:
        night(world, date)
    assert world.published() == before
    assert latest is None or (world.outbox / "latest").readlink() == latest
    last = world.runs()[-1]
    assert (last.outcome, last.message) == (caught.value.outcome, str(caught.value))
    line = [line for line in world.log() if not line["event"].startswith("hook.")][-1]
    assert line["event"] == "night.failed" and line["exit_code"] == int(caught.value.exit_code)
    return caught.value


def without_rows(source: Path, to: Path, name: str, keep: float) -> Path:
    """A copy with only a part of one file's rows, and without the rows of others that name what is gone."""
    shutil.copytree(source, to)
    header, rows = table_of(to / name)
    write_table(to / name, header, rows[: int(len(rows) * keep)])
    gone = {row[0] for row in rows[int(len(rows) * keep) :]}
    for path in to.glob("*.csv"):
        head, lines = table_of(path)
        write_table(path, head, [line for line in lines if not gone & set(line)])
    return to


class TestOneNight:
    """Published, unchanged, revised."""

    def test_the_first_night_then_the_same_again_then_news(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        delivery = world.deliver(tiny())
        first = night(world)
        assert (first.outcome, first.run.name, first.run.delivery) == ("published", DATE, delivery)
        world.check()
        assert verify(tiny(), world.outbox / DATE).right, "nobody has decided anything yet, so the delivery alone tells all"
        before, size = world.everything(), len(world.runs())
        again = night(world)
        assert (again.outcome, again.run.id) == ("unchanged", first.run.id)
        assert world.everything() == before and len(world.runs()) == size
        world.deliver(tiny())
        assert night(world).outcome == "unchanged", "the same bytes under another name are nothing new"
        world.deliver(other())
        revised = night(world)
        assert (revised.outcome, revised.run.name) == ("published", f"{DATE}.2")
        assert {name: data for name, data in world.everything().items() if name.startswith(f"{DATE}/")} == before
        assert (world.outbox / "latest").readlink() == Path(f"{DATE}.2")
        world.check()

    def test_what_a_run_records(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        world.deliver(HARD)
        run = night(world).run
        told = json.loads((world.outbox / DATE / "summary.json").read_text(encoding="utf-8"))
        assert run.input_sha256 == told["input_sha256"]
        assert (run.cost, run.bound, run.gap, run.status) == (told["cost"], told["bound"], told["gap"], told["status"])
        assert dict(run.cost_terms) == told["cost_terms"] and run.policy == told["policy"]
        assert run.counts["persons"] == told["persons"] and run.counts["households"] == told["households"]
        assert run.files["households.csv"].rows == 120
        assert {"solve", "verify", "total"} <= run.timings.keys() and "matcher" in run.versions
        assert run.started_at < run.finished_at and run.started_at.utcoffset() == dt.timedelta(0)  # type: ignore[operator]

    def test_the_next_night_begins_where_the_last_one_ended(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        sent: list[Any] = []
        real = apart.Apart.begin

        def begin(child: apart.Apart, function: str, *given: Any) -> None:
            if function == isolated.SEARCH:
                sent.append(given[2].start)
            real(child, function, *given)

        monkeypatch.setattr(apart.Apart, "begin", begin)
        world = World(tmp_path)
        world.deliver(HARD)
        first = night(world)
        second = night(world, "2026-11-23")
        assert (second.run.based_on, second.run.options["warm_from"]) == (first.run.id, DATE)
        rows = {row["household_id"]: row for row in rows_of(second.folder / "placements.csv")}
        before = {row["household_id"]: row for row in rows_of(first.folder / "placements.csv")}
        stayed = [h for h in rows.keys() & before.keys() if rows[h]["accommodation_id"] == before[h]["accommodation_id"]]
        assert len(stayed) >= 0.95 * len(rows), "a move costs, and nothing has changed"
        cold, warm = sent
        told = json.loads((first.folder / "certificate.json").read_text(encoding="utf-8"))
        prices = [price for offer in told["stages"][0]["prices"].values() for dates in offer.values() for price in dates.values()]
        assert cold is None and sum(prices) > 0
        known = sum(prices) / told["scale"]
        assert 0.9 * known < warm.prices.sum() <= 1.001 * known, "all but those of nights that are over"
        proposed = [row for row in before.values() if row["status"] == "proposed"]
        assert len(proposed) // 2 < (warm.offers >= 0).sum() <= first.run.counts["households"]["placed"]

    def test_an_earlier_date_does_not_take_latest_back(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        world.deliver(tiny())
        night(world, "2026-11-23")
        night(world, DATE)
        assert (world.outbox / "latest").readlink() == Path("2026-11-23")
        world.check()

    def test_modes(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        world.deliver(tiny())
        night(world)
        for path in [world.outbox, *world.outbox.rglob("*"), world.folder / "nightly.jsonl", world.history]:
            if not path.is_symlink():
                assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
        assert stat.S_IMODE((world.folder / "matcher.prom").stat().st_mode) == 0o644


class TestDecisions:
    """Decisions that come with a delivery."""

    def test_they_are_recorded_once_and_count_at_once(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        world.deliver(tiny())
        first = night(world)
        placed = rows_of(first.folder / "placements.csv")
        stays, leaves = placed[0], placed[1]
        source = tmp_path / "source"
        shutil.copytree(tiny(), source)
        (source / "decisions.csv").write_text(
            "action,household_id,accommodation_id,reason,by,decided_at\n"
            f"accept,{stays['household_id']},{stays['accommodation_id']},agreed,desk,2026-11-22\n"
            f"decline,{leaves['household_id']},{leaves['accommodation_id']},too_far,desk,2026-11-22\n"
            "accept,NOBODY,,agreed,desk,2026-11-22\n",
            encoding="utf-8",
        )
        world.deliver(source)
        second = night(world, "2026-11-23")
        rows = {row["household_id"]: row for row in rows_of(second.folder / "placements.csv")}
        assert rows[stays["household_id"]]["status"] == "accepted"
        assert rows[stays["household_id"]]["accommodation_id"] == stays["accommodation_id"]
        gone = rows.get(leaves["household_id"])
        assert gone is None or gone["accommodation_id"] != leaves["accommodation_id"]
        told = json.loads((second.folder / "run.json").read_text(encoding="utf-8"))["nightly"]["decisions"]
        assert (told["recorded"], told["known"], told["refused"][0][:16]) == (2, 0, "decisions.csv:4 ")
        assert second.run.decisions_upto == 2
        assert night(world, "2026-11-23").outcome == "unchanged"
        assert night(world, "2026-11-24").run.decisions_upto == 2
        world.check()

    def test_a_faulty_file_of_decisions_is_refused_as_a_whole(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        source = tmp_path / "source"
        shutil.copytree(tiny(), source)
        (source / "decisions.csv").write_text("action,household_id,reason,by\nvanish,H0001,agreed,desk\n", encoding="utf-8")
        world.deliver(source)
        assert "decisions.csv:2 action" in str(refused(world))


class TestRefusals:
    """Yesterday's result stays, and the history, the log and the exit code say why."""

    def test_nothing_delivered(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        world.inbox.mkdir()
        failure = refused(world)
        assert (failure.exit_code, failure.outcome) == (ExitCode.INPUT, "refused") and "matcher deliver" in str(failure)

    @pytest.mark.parametrize("name", ["households.csv", "accommodations.csv"])
    def test_a_delivery_that_has_shrunk(self, name: str, tmp_path: Path) -> None:
        world = World(tmp_path)
        source = generated(40, 5, 1.0, 0.0)
        world.deliver(source)
        night(world)
        world.deliver(without_rows(source, tmp_path / "less", name, 0.4))
        failure = refused(world, "2026-11-23")
        assert failure.outcome == "refused" and "less than 50%" in str(failure) and "[limits]" in str(failure)
        world.config.write_text(world.config.read_text(encoding="utf-8") + "[limits]\nhouseholds = 0.2\nbeds = 0\n", encoding="utf-8")
        assert night(world, "2026-11-23").outcome == "published"

    def test_one_that_is_damaged_does_not_make_way_for_an_older_one(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        world.deliver(tiny())
        night(world)
        damaged = world.inbox / world.deliver(other())
        (damaged / "households.csv").write_bytes((damaged / "households.csv").read_bytes()[:-9])
        failure = refused(world, "2026-11-23")
        assert damaged.name in str(failure) and "households.csv" in str(failure)
        assert world.runs()[-1].delivery == damaged.name

    def test_one_that_is_still_being_written(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        world.deliver(tiny())
        night(world)
        (world.inbox / "2099-01-01").mkdir()
        assert "still being written" in str(refused(world, "2026-11-23"))

    def test_faulty_rows(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        source = tmp_path / "source"
        shutil.copytree(tiny(), source)
        header, rows = table_of(source / "households.csv")
        rows[3][header.index("persons")] = "many"
        write_table(source / "households.csv", header, rows)
        world.deliver(source)
        failure = refused(world)
        assert failure.exit_code == ExitCode.INPUT and str(failure).startswith("households.csv:5 persons not_a_whole_number")
        assert "matcher validate" in str(failure) and "many" not in str(failure)
        world.config.write_text(world.config.read_text(encoding="utf-8").replace("[solve]", "[solve]\nquarantine = true"), encoding="utf-8")
        assert night(world).run.counts["households"]["quarantined"] == 1

    def test_decisions_that_contradict_name_households_and_no_place(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        source = tmp_path / "source"
        shutil.copytree(tiny(), source)
        header, rows = table_of(source / "accommodations.csv")
        small = min(rows, key=lambda row: int(row[header.index("capacity")]))
        small[header.index("capacity")] = "0"
        write_table(source / "accommodations.csv", header, rows)
        (source / "overrides.csv").write_text(
            f"household_id,accommodation_id,action\nH0001,{small[header.index('accommodation_id')]},pin\n", encoding="utf-8"
        )
        world.deliver(source)
        failure = refused(world)
        assert failure.exit_code == ExitCode.CONTRADICTION and "H0001" in str(failure)
        assert small[header.index("accommodation_id")] not in json.dumps(world.log()) + world.runs()[-1].message

    def test_a_folder_that_the_history_does_not_know_is_left_alone(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        world.deliver(tiny())
        (world.outbox / DATE).mkdir(parents=True)
        (world.outbox / DATE / "mine.txt").write_text("x", encoding="utf-8")
        assert "move it away" in str(refused(world))
        shutil.rmtree(world.outbox / DATE)
        assert night(world).outcome == "published"
        world.check()


class TestTelling:
    """Log, metrics and hooks: machines read them, and nobody's data stands in them."""

    def test_no_household_and_no_offer_in_log_metrics_and_hooks(self, tmp_path: Path) -> None:
        told = tmp_path / "told.txt"
        hook = [sys.executable, "-c", f"import os,sys; open({str(told)!r},'a').write(sys.stdin.read() + repr(sorted(os.environ.items())))"]
        world = World(tmp_path / "w", f"[hooks]\non_success = {json.dumps(hook)}\non_failure = {json.dumps(hook)}\n")
        world.deliver(HARD)
        night(world)
        night(world, "2026-11-23")
        damaged = world.inbox / world.deliver(HARD)
        (damaged / "ties.csv").unlink()
        refused(world, "2026-11-24")
        text = (world.folder / "nightly.jsonl").read_text(encoding="utf-8") + told.read_text(encoding="utf-8")
        text += (world.folder / "matcher.prom").read_text(encoding="utf-8")
        ids = {row["household_id"] for row in rows_of(HARD / "households.csv")}
        ids |= {row["accommodation_id"] for row in rows_of(HARD / "accommodations.csv")}
        assert len(ids) > 100 and not [one for one in ids if one in text]
        assert "MATCHER_OUTCOME', 'published'" in text and "MATCHER_OUTCOME', 'refused'" in text and "MATCHER_EXIT_CODE', '3'" in text
        assert all(line["time"].endswith("Z") and line["service_date"] for line in world.log())

    def test_metrics_keep_the_last_success_through_a_failure(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        world.deliver(tiny())
        night(world)
        good = metrics(world)
        assert good["matcher_last_run_success"] == 1 and good["matcher_last_run_exit_code"] == 0 and good["matcher_fallback"] == 0
        told = json.loads((world.outbox / DATE / "summary.json").read_text(encoding="utf-8"))
        assert {state: good[f'matcher_persons{{state="{state}"}}'] for state in told["persons"]} == told["persons"]
        (world.inbox / "2099-01-01").mkdir()
        refused(world, "2026-11-23")
        bad = metrics(world)
        assert (bad["matcher_last_run_success"], bad["matcher_last_run_exit_code"]) == (0, 3)
        assert bad["matcher_last_success_timestamp_seconds"] == good["matcher_last_success_timestamp_seconds"]
        assert bad["matcher_last_run_timestamp_seconds"] >= good["matcher_last_run_timestamp_seconds"]

    @pytest.mark.parametrize(
        ("hook", "timeout_s", "words"),
        [
            (["/no/such/command"], 60, "could not be started"),
            ([sys.executable, "-c", "import sys; sys.exit(3)"], 60, "ended with code 3"),
            ([sys.executable, "-c", "import time; time.sleep(600)"], 0.5, "took longer"),
        ],
    )
    def test_a_hook_that_fails_is_told_and_changes_nothing(self, hook: list[str], timeout_s: float, words: str, tmp_path: Path) -> None:
        world = World(tmp_path, f"[hooks]\ntimeout_s = {timeout_s}\non_success = {json.dumps(hook)}\n")
        world.deliver(tiny())
        assert night(world).outcome == "published"
        (line,) = [line for line in world.log() if line["event"] == "hook.failed"]
        assert words in line["message"] and line["level"] == "error"
        world.check()

    def test_a_plan_without_a_search_is_published_and_said_everywhere(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        world = World(tmp_path)
        world.deliver(tiny())
        first = night(world)
        real = subprocess.Popen

        def popen(line: list[str], **options: Any) -> Any:
            if line[1:4] != ["-P", "-m", "matcher.apart"]:
                return real(line, **options)
            return real([sys.executable, "-c", PRELUDE + ENDS["crashes at once"], line[-1]], **{**options, "stderr": subprocess.DEVNULL})

        monkeypatch.setattr(apart.subprocess, "Popen", popen)
        second = night(world, "2026-11-23")
        told = json.loads((second.folder / "summary.json").read_text(encoding="utf-8"))
        assert told["status"] == second.run.status == "fallback" and told["strategy"]["name"] == "fallback"
        assert metrics(world)["matcher_fallback"] == 1
        assert [line["level"] for line in world.log() if line["event"] == "result.found"] == ["info", "error"]
        stay = {row["household_id"]: row["accommodation_id"] for row in rows_of(second.folder / "placements.csv")}
        for row in rows_of(first.folder / "placements.csv"):
            assert stay[row["household_id"]] == row["accommodation_id"]
        world.check()


def metrics(world: World) -> dict[str, float]:
    """The textfile, each line held against Prometheus' format."""
    out: dict[str, float] = {}
    described: set[str] = set()
    for line in (world.folder / "matcher.prom").read_text(encoding="utf-8").splitlines():
        if line.startswith("# HELP "):
            name = line.split()[2]
            assert name not in described, f"{name} is described twice"
            described.add(name)
        elif not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            assert name.partition("{")[0] in described and name not in out
            out[name] = float(value)
    return out


class TestClock:
    """One service date is one result, whatever the clock on the wall does."""

    @pytest.mark.parametrize(
        ("instants", "date"),
        [
            (["2026-03-29T00:30Z", "2026-03-29T01:30Z"], "2026-03-29"),  # 02:30 and 04:30 in Kyiv: there is no 03:30
            (["2026-10-25T00:30Z", "2026-10-25T01:30Z"], "2026-10-25"),  # 03:30 twice
        ],
    )
    def test_nights_with_a_clock_change(self, instants: list[str], date: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        world = World(tmp_path)
        world.deliver(tiny())
        config = read_config(world.config)
        ended = []
        for text in instants:
            now = dt.datetime.fromisoformat(text)
            assert config.service_date(now).isoformat() == date
            ended.append(run_night(config, config.service_date(now)).outcome)
        assert ended == ["published", "unchanged"]
        assert world.published().keys() == {date}

    def test_the_date_is_that_of_the_service_not_of_the_machine(self, tmp_path: Path) -> None:
        config = read_config(World(tmp_path).config)
        late = dt.datetime(2026, 11, 22, 22, 30, tzinfo=dt.UTC)
        assert config.service_date(late) == dt.date(2026, 11, 23)
        assert config.model_copy(update={"time_zone": "UTC"}).service_date(late) == dt.date(2026, 11, 22)

    def test_a_clock_that_has_gone_back_publishes_nothing(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        world.deliver(tiny())
        night(world, "2999-01-01")
        with pytest.raises(NightFailed, match="clock") as caught:
            run_night(read_config(world.config))
        assert caught.value.exit_code == ExitCode.USAGE and world.published().keys() == {"2999-01-01"}
        assert night(world).run.name == DATE, "a date that is given is meant"


class TestConfiguration:
    """Everything that is wrong is named."""

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", ["inbox", "outbox"]),
            ("inbox = 1", ["inbox", "outbox"]),
            ('inbox="i"\noutbox="o"\n[solve]\ntime_limit = 3', ["solve.time_limit", "time_limit_s"]),
            ('inbox="i"\noutbox="o"\n[solve]\ntime_limit_s = 100\ndeadline_s = 100', ["deadline_s"]),
            ('inbox="i"\noutbox="o"\ntime_zone="Mars/Base"', ["Mars/Base"]),
            ('inbox="i"\noutbox="o"\n[hooks]\non_success = "echo"', ["hooks.on_success"]),
            ('inbox="i"\noutbox="o"\nbase="x"', ["base"]),
            ("inbox = [", ["TOML"]),
            ('inbox="o/i"\noutbox="o"', ["neither inside the other"]),
        ],
    )
    def test_faults(self, text: str, words: list[str], tmp_path: Path) -> None:
        path = tmp_path / "nightly.toml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(UsageError) as caught:
            read_config(path)
        assert all(word in str(caught.value) for word in words), str(caught.value)

    def test_paths_start_where_the_file_stands(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        config = read_config(World(tmp_path).config)
        assert config.inbox_path == tmp_path / "inbox" and config.history_address == str(tmp_path / "history.sqlite")
        secret = config.model_copy(update={"history": "env:MATCHER_TEST_HISTORY"})
        with pytest.raises(UsageError, match="MATCHER_TEST_HISTORY"):
            _ = secret.history_address
        monkeypatch.setenv("MATCHER_TEST_HISTORY", "postgresql://matcher:word@host/matcher")
        assert secret.history_address == "postgresql://matcher:word@host/matcher"


class TestCommand:
    """`matcher nightly`."""

    def run(self, world: World, *more: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(app, ["nightly", "--config", str(world.config), *more])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout, done.stderr

    def test_it_says_what_it_did(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        world.deliver(tiny())
        code, told, _ = self.run(world, "--date", DATE)
        assert code == 0 and f"Published {DATE}" in told
        code, told, _ = self.run(world, "--date", DATE)
        assert code == 0 and "Nothing is new" in told and "nothing was changed" in told
        code, told, _ = self.run(world, "--date", DATE, "--json")
        assert code == 0 and json.loads(told)["outcome"] == "unchanged"
        code, told, words = self.run(world, "--date", "22.11.2026")
        assert (code, told) == (2, "") and "2026-11-22" in words

    def test_a_second_run_ends_with_75_and_changes_nothing(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        world.deliver(tiny())
        with locked(world.outbox):
            with pytest.raises(LockHeld):
                night(world)
            done = subprocess.run(
                command("nightly", "--config", world.config), env=environ(), capture_output=True, text=True, check=False, timeout=200
            )
        assert done.returncode == 75 and "another run holds the lock" in done.stderr and "process" in done.stderr
        assert not world.history.exists() and not world.published()

    def test_the_log_on_standard_error_is_nothing_but_json(self, tmp_path: Path) -> None:
        world = World(tmp_path, '[log]\nfile = "-"\n')
        world.inbox.mkdir()
        done = subprocess.run(
            command("nightly", "--config", world.config), env=environ(), capture_output=True, text=True, check=False, timeout=200
        )
        assert done.returncode == 3 and done.stdout == ""
        lines = [json.loads(line) for line in done.stderr.splitlines()]
        assert lines[-1]["event"] == "night.failed" and "no delivery" in lines[-1]["message"]

"""The command line: exit codes, what goes to which stream, what is written, and how it takes an interruption."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from matcher.advise import remedies
from matcher.cli import app as app_module
from matcher.cli.app import app
from matcher.errors import NoPlanError
from matcher.verify import verify
from tests.io.sample import write
from tests.runs import DAY, INSTANCES, ROOT, command, environ, files_of, generated, matcher, rows_of, scratch

CHASIV, HARD, FAULTY = (INSTANCES / name for name in ("chasiv-yar", "hard-night", "hard-night-faulty"))
SMALL = generated(20, 51, 0.8, 0.3)
H, A = "household_id,persons,place\n", "accommodation_id,place,capacity\n"
TINY = {"households": H + "H1,2,Lviv\nH2,1,Poltava\n", "accommodations": A + "A1,Lviv,4\nA2,Poltava,2\n"}
SECRET = "Ms Example of 5 Rose Street, telephone 555-0100"


def invoke(*arguments: object) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of the command in this process."""
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def solve(folder: Path, out: Path, *more: object) -> tuple[int, str, str]:
    return invoke("solve", folder, "--out", out, "--date", DAY, "--no-remedies", *more)


@cache
def done(name: str) -> tuple[Path, Path, str]:
    """(instance's folder, a run written by the command line in a process of its own, its stdout)."""
    folder = SMALL if name == "small" else INSTANCES / name
    out = scratch() / f"cli-{name}" / "out"
    out.parent.mkdir()
    more = ["--quarantine"] if name.endswith("-faulty") else []
    ended = matcher("solve", folder, "--out", out, "--date", DAY, "--no-remedies", *more)
    assert ended.returncode == 0, ended.stderr
    assert not re.search(r"Traceback|A fault of the program", ended.stderr)
    return folder, out, ended.stdout


RUNS = ("chasiv-yar", "hard-night-faulty", "small")


# --- exit code 0 ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reach", [True, False])
def test_it_does_not_say_that_it_looks_for_what_it_will_not_look_for(reach: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"households": TINY["households"], "accommodations": A + "A2,Poltava,2\n"})
    if not reach:
        monkeypatch.setattr(remedies, "FEWEST", 10**12)
    code, _, errors = invoke("solve", folder, "--out", tmp_path / "out", "--date", DAY)
    assert code == 0
    assert ("Looking for what would help 1 household without a place" in errors) == reach
    assert ("What would help 1 household without a place was not examined: that takes more --effort" in errors) != reach


@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_written_verified_and_told(name: str) -> None:
    folder, out, told = done(name)
    assert "persons have a place" in told and "A person decides." in told
    assert {"placements.csv", "unplaced.csv", "quarantined.csv", "summary.json", "certificate.json"} <= files_of(out).keys()
    assert (out / "run.json").exists()
    assert verify(folder, out).right
    code, text, errors = invoke("verify", folder, out)
    assert (code, errors) == (0, "") and "The plan is right" in text


@pytest.mark.parametrize("name", RUNS)
def test_files_are_for_their_owner_only(name: str) -> None:
    _, out, _ = done(name)
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}


@pytest.mark.parametrize("name", RUNS)
def test_everybody_stands_in_one_file(name: str) -> None:
    folder, out, _ = done(name)
    rows = [row["household_id"] for path in out.glob("*placed.csv") for row in rows_of(path)]
    rows += [row["household_id"] for path in out.glob("placements*.csv") for row in rows_of(path)]
    assert sorted(rows) == sorted(row["household_id"].strip() for row in rows_of(folder / "households.csv"))


def test_json_is_the_summary_and_nothing_else(tmp_path: Path) -> None:
    ended = matcher("solve", SMALL, "--out", tmp_path / "out", "--date", DAY, "--json")
    assert ended.returncode == 0
    assert json.loads(ended.stdout) == json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))


def test_quiet_is_quiet(tmp_path: Path) -> None:
    ended = matcher("solve", SMALL, "--out", tmp_path / "out", "--date", DAY, "--quiet")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert verify(SMALL, tmp_path / "out").right
    assert invoke("verify", SMALL, tmp_path / "out", "--quiet") == (0, "", "")
    assert invoke("validate", SMALL, "--quiet") == (0, "", "")
    assert invoke("generate", tmp_path / "new", "--households", 3, "--quiet") == (0, "", "")


def test_in_this_process_and_in_one_of_its_own_the_files_are_the_same(tmp_path: Path) -> None:
    code, text, _ = solve(SMALL, tmp_path / "out")
    assert (code, files_of(tmp_path / "out")) == (0, files_of(done("small")[1]))
    assert text.replace(str(tmp_path / "out"), "OUT") == done("small")[2].replace(str(done("small")[1]), "OUT")


@pytest.mark.parametrize("variable", ["NO_COLOR", "TERM"])
def test_no_escape_codes_where_nobody_wants_them(variable: str, tmp_path: Path) -> None:
    """In a terminal, too."""
    import pty

    master, slave = pty.openpty()
    changes = {"NO_COLOR": "1", "TERM": "xterm"} if variable == "NO_COLOR" else {"TERM": "dumb"}
    process = subprocess.Popen(
        command("solve", SMALL, "--out", tmp_path / "out", "--date", DAY), stdout=slave, stderr=subprocess.PIPE, env=environ(**changes),
        cwd=ROOT,
    )  # fmt: skip
    os.close(slave)
    text = b""
    while True:
        try:
            chunk = os.read(master, 4096)
        except OSError:
            break
        if not chunk:
            break
        text += chunk
    os.close(master)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0 and b"persons have a place" in text
    assert not re.search(rb"\x1b\[[0-9;]*3[0-9]m|\x1b\[[0-9;]*9[0-9]m", text + errors), "colours"
    if variable == "TERM":
        assert b"\x1b" not in text + errors


def test_an_earlier_run_is_replaced_and_a_policy_file_is_used(tmp_path: Path) -> None:
    shutil.copytree(done("small")[1], tmp_path / "out")
    (tmp_path / "p.toml").write_text("[travel]\nweight = 2\n", encoding="utf-8")
    assert solve(SMALL, tmp_path / "out", "--policy", tmp_path / "p.toml")[0] == 0
    told = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert told["policy"]["travel"]["weight"] == "2" and verify(SMALL, tmp_path / "out").right


# --- exit code 2 ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (("--strategy", "magic"), "exact"),
        (("--date", "22.11.2026"), "2026-11-22"),
        (("--date", "2026-02-30"), "date"),
        (("--effort", "0"), "effort"),
        (("--time-limit", "-1"), "time-limit"),
        (("--effort", "nan"), ""),
        (("--seed", "-1"), "seed"),
        (("--gap", "-0.1"), "gap"),
        (("--no-such-option",), "no-such-option"),
        (("--encoding", "klingon"), "klingon"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_usage(more: tuple[str, ...], word: str, tmp_path: Path) -> None:
    code, text, errors = invoke("solve", SMALL, "--out", tmp_path / "out", *more)
    assert (code, text) == (2, ""), errors
    assert word in re.sub(r"[^\w.\- ]", "", errors)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("suffix", ["xls", "xlsm", "ods"])
def test_a_workbook_is_a_choice_that_this_build_does_not_have(suffix: str, tmp_path: Path) -> None:
    book = tmp_path / f"book.{suffix}"
    book.write_bytes(b"PK")
    for arguments in (("solve", book, "--out", tmp_path / "out"), ("validate", book), ("verify", book, tmp_path)):
        code, _, errors = invoke(*arguments)
        assert code == 2 and "workbook" in errors, arguments


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    for arguments in (("solve", tmp_path / "x", "--out", tmp_path / "o"), ("validate", tmp_path / "x"), ("verify", SMALL, tmp_path / "x")):
        assert invoke(*arguments)[0] == 2, arguments


def test_a_travel_model_that_is_not_installed(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text('[travel]\nmodel = "osrm"\n', encoding="utf-8")
    code, _, errors = solve(SMALL, tmp_path / "out", "--policy", tmp_path / "p.toml")
    assert code == 2 and "osrm" in errors


def test_an_out_folder_with_foreign_files_is_refused_before_anything_is_solved(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine", encoding="utf-8")
    started = time.monotonic()
    code, text, errors = solve(INSTANCES / "pokrovsk-month", out)
    assert (code, text) == (2, "") and "thesis.txt" in errors
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "thesis.txt"]
    assert time.monotonic() - started < 3


# --- exit code 3 ---------------------------------------------------------------------------------------------------------------------


def test_faults_are_listed_with_file_and_line_and_nothing_is_written(tmp_path: Path) -> None:
    ended = matcher("solve", FAULTY, "--out", tmp_path / "out", "--date", DAY)
    assert (ended.returncode, ended.stdout) == (3, "")
    lines = [line for line in ended.stderr.splitlines() if re.match(r"[a-z]+\.csv:[0-9]+ ", line)]
    assert len(lines) == 12, ended.stderr
    assert not (tmp_path / "out").exists() and list(tmp_path.iterdir()) == []
    code, text, errors = invoke("validate", FAULTY)
    assert code == 3 and "12 faults" in text
    assert [line for line in errors.splitlines() if ".csv:" in line] == lines


def test_faults_as_json(tmp_path: Path) -> None:
    code, text, _ = solve(FAULTY, tmp_path / "out", "--json")
    told = json.loads(text)["error"]
    assert (code, told["exit_code"], len(told["faults"])) == (3, 3, 12)
    assert {"file", "line", "column", "code", "message"} == set(told["faults"][0])
    code, text, _ = invoke("validate", FAULTY, "--json")
    assert code == 3 and json.loads(text)["valid"] is False


@pytest.mark.parametrize("text", ["[travel]\nspeed = 3\n", "[travel\n", "[risk]\nunknown = 2\n", 'order = "fair"\n'])
def test_a_policy_that_cannot_be_used(text: str, tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(text, encoding="utf-8")
    code, _, errors = solve(SMALL, tmp_path / "out", "--policy", tmp_path / "p.toml")
    assert code == 3 and "p.toml" in errors
    assert not (tmp_path / "out").exists()


def test_faults_of_policy_and_rows_come_together(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {**TINY, "households": H + "H1,many,Lviv\n", "policy.toml": "[travel]\nspeed = 3\n"})
    code, _, errors = solve(folder, tmp_path / "out")
    assert code == 3 and "policy.toml" in errors and "households.csv:2 persons" in errors


def test_files_that_are_missing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    code, _, errors = solve(tmp_path / "in", tmp_path / "out")
    assert code == 3 and "households.csv" in errors and "accommodations.csv" in errors


# --- quarantine ----------------------------------------------------------------------------------------------------------------------


def test_quarantine_counts_every_row_and_every_household() -> None:
    folder, out, told = done("hard-night-faulty")
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    for count in summary["rows"]:
        assert count["rows_in"] == count["accepted"] + count["quarantined"], count
        assert count["rows_in"] == len(rows_of(folder / f"{count['file'].removesuffix('.csv')}.csv")), count
    assert sum(count["quarantined"] for count in summary["rows"]) >= 12
    assert len({(row["file"], row["line"]) for row in rows_of(out / "quarantined.csv")}) == sum(c["quarantined"] for c in summary["rows"])
    assert sum(summary["households"].values()) == len(rows_of(folder / "households.csv"))
    reasons = {row["household_id"]: row["reason"] for row in rows_of(out / "unplaced.csv")}
    named = ("N121", "N122", "N123", "N125", "N126", "N124", "N127", "N050", "N060", "N065")
    assert {reasons[i] for i in named} == {"quarantined"}
    used = {row["accommodation_id"] for path in out.glob("placements*.csv") for row in rows_of(path)}
    assert not used & {"O29", "O30"}
    assert "faulty" in told


# --- exit codes 4, 5, 6, 1 -----------------------------------------------------------------------------------------------------------


def pinned(folder: Path, *rows: str) -> Path:
    households = H + "".join(f"H{i},2,Lviv\n" for i in range(1, 6))
    offers = A + "A1,Lviv,3\nA2,Lviv,3\nA3,Poltava,3\n"
    return write(folder, {"households": households, "accommodations": offers, "overrides": _overrides(*rows)})


def _overrides(*rows: str) -> str:
    return "household_id,accommodation_id,action,reason\n" + "".join(f'{row},"{SECRET}"\n' for row in rows)


@pytest.mark.parametrize(
    ("rows", "ids"),
    [
        (("H2,A1,pin", "H2,A2,pin"), ["H2"]),
        (("H1,A3,pin", "H2,A1,pin", "H3,A2,pin", "H4,A2,pin"), ["H3", "H4"]),
        (("H2,A1,pin", "H2,,hold"), ["H2"]),
    ],
    ids=["two pins", "pins that do not fit", "pin and hold"],
)
def test_decisions_that_contradict_name_the_smallest_set(rows: tuple[str, ...], ids: list[str], tmp_path: Path) -> None:
    folder = pinned(tmp_path / "in", *rows)
    code, text, errors = solve(folder, tmp_path / "out")
    assert (code, text) == (4, "")
    assert sorted(set(re.findall(r"H[0-9]", errors))) == ids
    assert SECRET not in errors and not (tmp_path / "out").exists()
    code, text, _ = solve(folder, tmp_path / "out", "--json")
    assert code == 4 and json.loads(text)["error"]["ids"] == ids


def test_no_plan_within_the_limits_is_5(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan is found at once wherever one exists, so the limit is simulated."""

    def never(*arguments: object, **options: object) -> None:
        raise NoPlanError("no plan within the limits of time and effort; allow more with --time-limit or --effort")

    monkeypatch.setattr("matcher.solver.solve", never)
    code, text, errors = solve(SMALL, tmp_path / "out")
    assert (code, text) == (5, "") and "--time-limit" in errors
    assert not (tmp_path / "out").exists()


def test_more_unplaced_than_allowed_is_6_and_everything_is_written(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {**TINY, "accommodations": A + "A1,Lviv,1\n"})
    assert solve(folder, tmp_path / "out", "--fail-if-unplaced-above", "2")[0] == 0
    assert solve(folder, tmp_path / "out", "--fail-if-unplaced-above", "1")[0] == 6
    assert verify(folder, tmp_path / "out").right


def test_verify_of_a_wrong_plan_is_1(tmp_path: Path) -> None:
    out = Path(shutil.copytree(done("small")[1], tmp_path / "out"))
    text = (out / "placements.csv").read_text(encoding="utf-8")
    (out / "placements.csv").write_text(text.replace("proposed", "accepted", 1), encoding="utf-8")
    code, _, errors = invoke("verify", SMALL, out)
    assert code == 1 and "row_status" in errors
    code, text, _ = invoke("verify", SMALL, out, "--json")
    assert code == 1 and json.loads(text)["right"] is False


def test_a_fault_of_the_program_is_1_without_quoting_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: object, **options: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr("matcher.solver.solve", fails)
    code, text, errors = solve(SMALL, tmp_path / "out")
    assert code == 1 and "RuntimeError" in errors and SECRET not in text + errors
    assert not (tmp_path / "out").exists()


# --- what nobody may read ------------------------------------------------------------------------------------------------------------


def test_free_text_of_reasons_goes_nowhere(tmp_path: Path) -> None:
    """Neither into files nor onto a stream; nor the cells of columns that the program does not know."""
    files = {
        **TINY,
        "households": "household_id,persons,place,name\n" + f'H1,2,Lviv,"{SECRET}"\nH2,1,Poltava,"{SECRET}"\n',
        "overrides": _overrides("H1,A1,pin", "H2,A1,forbid"),
    }
    said = ""
    for number, extra in enumerate(("", "H9,A1,forbid", "H1,A2,pin", "H2,A9,dance")):
        rows = ["H1,A1,pin", "H2,A1,forbid", *([extra] if extra else [])]
        folder = write(tmp_path / f"in-{number}", {**files, "overrides": _overrides(*rows)})
        for more in ((), ("--json", "--quarantine")):
            out = tmp_path / f"out-{number}"
            said += "".join(map(str, solve(folder, out, *more)))
            if out.exists():
                said += "".join(path.read_text(encoding="utf-8") for path in out.iterdir())
                said += "".join(map(str, invoke("explain", folder, out, "H1")))
        said += "".join(map(str, invoke("validate", folder)))
    assert len(said) > 5_000
    for word in ("Example", "Rose", "555"):
        assert word not in said


# --- progress ------------------------------------------------------------------------------------------------------------------------


def test_progress_goes_to_stderr_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matcher.cli.progress.EVERY_S", 0.0)
    code, text, errors = solve(SMALL, tmp_path / "out", "--json")
    assert code == 0 and json.loads(text)["status"] == "optimal"
    assert "person-km" in errors and len(errors.splitlines()) >= 2
    code, text, errors = solve(SMALL, tmp_path / "out", "--quiet")
    assert (code, text, errors) == (0, "", "")


# --- explain, generate, help -----------------------------------------------------------------------------------------------------------


def test_explain() -> None:
    folder, out, _ = done("hard-night-faulty")
    placed = next(row for row in rows_of(out / "placements.csv") if row["alternative_1"])
    code, text, errors = invoke("explain", folder, out, placed["household_id"])
    assert (code, errors) == (0, "")
    assert placed["accommodation_id"] in text and placed["alternative_1"] in text and "the journey" in text
    told = json.loads(invoke("explain", folder, out, placed["household_id"], "--json")[1])
    assert (told["accommodation_id"], told["placed"]) == (placed["accommodation_id"], True)
    for row in rows_of(out / "unplaced.csv"):
        code, text, _ = invoke("explain", folder, out, row["household_id"])
        assert code == 0 and row["reason"] in text and row["explanation"] in text
        if row["household_id"] == "N001":
            assert json.loads(invoke("explain", folder, out, "N001", "--json")[1])["reason"] == "no_consent"
    secret = rows_of(out / "placements_protected.csv")[0]
    text = invoke("explain", folder, out, secret["household_id"])[1]
    assert "protected" in text and secret["accommodation_id"] not in text and secret["place"] not in text
    code, text, errors = invoke("explain", folder, out, "N999")
    assert (code, text) == (2, "") and "N999" in errors
    assert invoke("explain", folder, folder, "N001")[0] in (2, 3)


def test_generate(tmp_path: Path) -> None:
    arguments = ("--households", "30", "--seed", "5", "--beds-per-person", "0.5", "--no-rooms", "--links", "0.4")
    assert invoke("generate", tmp_path / "one", *arguments)[0] == invoke("generate", tmp_path / "two", *arguments)[0] == 0
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    assert len(rows_of(tmp_path / "one" / "households.csv")) == 30
    assert invoke("validate", tmp_path / "one")[0] == 0
    before = files_of(tmp_path / "one")
    code, _, errors = invoke("generate", tmp_path / "one", *arguments)
    assert code == 2 and "empty" in errors and files_of(tmp_path / "one") == before
    for wrong in (("--households", "0"), ("--links", "1.5"), ("--beds-per-person", "0")):
        assert invoke("generate", tmp_path / "three", *wrong)[0] == 2
    assert not (tmp_path / "three").exists()


def test_help_and_version() -> None:
    for name in ("", "validate", "solve", "verify", "explain", "generate"):
        code, text, _ = invoke(*([name] if name else []), "--help")
        assert code == 0 and "Usage" in text
    assert re.fullmatch(r"matcher [0-9]+\.[0-9]+\S*\n", invoke("--version")[1])
    assert callable(app_module.main)


# --- interruption --------------------------------------------------------------------------------------------------------------------

LARGE = (700, 61, 0.9, 0.5)


def start(folder: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    arguments = ["solve", folder, "--out", out, "--date", DAY, "--effort", "1000", "--time-limit", "300", *more]
    return subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ(), cwd=ROOT, start_new_session=True
    )  # fmt: skip


def until_a_plan(process: subprocess.Popen[str]) -> None:
    """Until progress tells of a plan in hand."""
    assert process.stderr is not None
    for line in process.stderr:
        if "plan in hand" in line:
            return
    pytest.fail("it ended before there was any plan to see")


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, id="SIGINT"), pytest.param(signal.SIGTERM, id="SIGTERM", marks=pytest.mark.slow)]
)
def test_an_interrupted_search_writes_the_plan_in_hand(number: signal.Signals, tmp_path: Path) -> None:
    folder = generated(*LARGE)
    process = start(folder, tmp_path / "out")
    try:
        until_a_plan(process)
        sent = time.monotonic()
        process.send_signal(number)
        text, errors = process.communicate(timeout=200)
        took = time.monotonic() - sent
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, errors
    assert took < 60, f"it took {took:.1f} s, and would have taken minutes without an interrupt"
    run = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert run["cut_by"] == "interrupt"
    assert "interrupted" in text
    assert verify(folder, tmp_path / "out").right
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def is_handling(pid: int) -> bool:
    """Has the command begun to listen to a request to end? Python by itself does not."""
    (caught,) = [
        line.split()[1] for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines() if line.startswith("SigCgt")
    ]
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def is_searching(pid: int) -> bool:
    """Is there a process that searches?"""
    return bool(Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split())


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to see how far the command is")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("state", [None, is_handling, is_searching], ids=["at once", "when it listens", "when it searches"])
def test_a_very_early_interrupt_writes_nothing_or_a_whole_run(number: signal.Signals, state: Any, tmp_path: Path) -> None:
    """Before there is a plan there is nothing to write; and never a traceback once the command has begun."""
    process = start(generated(*LARGE), tmp_path / "out")
    try:
        while state is not None and not state(process.pid):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.send_signal(number)
        _, errors = process.communicate(timeout=120)
    finally:
        process.kill()
        process.wait()
    # Python ends itself by SIGINT, which a shell calls 130 as well, where the interrupt passed through `eval` (as in namedtuple).
    assert process.returncode in (130, -signal.SIGINT, *([-number] if state is None else [])), errors
    left = list(tmp_path.iterdir())
    if left:
        assert {path.name for path in left} == {"out"} and verify(generated(*LARGE), tmp_path / "out").right
    elif state is not None:
        assert "Traceback" not in errors and (not errors or "nothing was written" in errors), errors


@pytest.mark.slow
def test_a_search_cut_by_the_clock_says_so(tmp_path: Path) -> None:
    folder = generated(*LARGE)
    ended = matcher("solve", folder, "--out", tmp_path / "out", "--date", DAY, "--effort", "1000", "--time-limit", "4")
    assert ended.returncode in (0, 5), ended.stderr
    if ended.returncode == 5:
        assert not (tmp_path / "out").exists()
        return
    run = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert run["cut_by"] == "time" and "time limit" in ended.stdout
    assert verify(folder, tmp_path / "out").right

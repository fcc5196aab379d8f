"""`matcher solve DIR --out OUT`"""

from __future__ import annotations

import math
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from matcher.apart import at_hand
from matcher.cli.console import (
    Encoding,
    Instance,
    Json,
    Lang,
    Mapping,
    Others,
    Quiet,
    day_of,
    guard,
    language,
    policy_beside,
    print_json,
    source_of,
    stopping,
)
from matcher.errors import ExitCode, InterruptedSolve, UsageError

if TYPE_CHECKING:
    from matcher.result import Result

SEARCH, REMEDIES = ("matcher.strategies.child", "matcher.strategies.prices.strategy"), ("matcher.advise.isolated",)
"""What the process that searches loads while this one reads, in this order: what takes long to read will want the large-scale strategy."""


def solve(
    folder: Instance,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Folder for the results; an earlier run there is replaced.")],
    policy: Annotated[Path | None, typer.Option("--policy", help="Policy file; default: policy.toml in DIR, else the defaults.")] = None,
    date: Annotated[str | None, typer.Option("--date", help="Date of the run, YYYY-MM-DD; default today.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the lottery that settles equal cases.")] = 0,
    strategy: Annotated[str, typer.Option("--strategy", help="auto, exact or prices.")] = "auto",
    effort: Annotated[float, typer.Option("--effort", help="Amount of work, the default stop; the same on every machine.")] = 1.0,
    gap: Annotated[float, typer.Option("--gap", min=0.0, help="Stop when the plan is proved that near the best, e.g. 0.001.")] = 0.0,
    time_limit: Annotated[
        float | None,
        typer.Option(
            "--time-limit", help="Seconds; a safety net, said when it cut. Default: 300, or 6 for each 1,000 households where that is more."
        ),
    ] = None,
    quarantine: Annotated[bool, typer.Option("--quarantine/--strict", help="Set faulty rows aside, or stop at any (default).")] = False,
    fail_if_unplaced_above: Annotated[
        int | None, typer.Option("--fail-if-unplaced-above", min=0, metavar="N", help="Exit code 6 if more than N persons are unplaced.")
    ] = None,
    warm: Annotated[
        Path | None, typer.Option("--warm", metavar="OUT", help="Begin from the prices and the plan of an earlier run in this folder.")
    ] = None,
    remedies: Annotated[
        bool, typer.Option("--remedies/--no-remedies", help="Look for what would help those without a place (default), or not.")
    ] = True,
    lang: Lang = "en",
    mapping: Mapping = None,
    others: Others = None,
    workbook: Annotated[
        bool | None, typer.Option("--workbook/--no-workbook", help="Also write results.xlsx; default: where DIR is a workbook.")
    ] = None,
    parquet: Annotated[bool, typer.Option("--parquet", help="Also write each table as a Parquet file.")] = False,
    encoding: Encoding = "utf-8",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find the best placement, check it, prove how good it is, and write everything to OUT."""
    with guard(json):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        options = {**_options(date, seed, strategy, effort, gap, time_limit), "lang": language(lang)}
        if warm is not None:
            from matcher.published import read_published, warm_start_of

            options["warm_start"] = warm_start_of(read_published(warm))
        also = _also(folder.is_file() if workbook is None else workbook, parquet)
        with at_hand(*SEARCH, *(REMEDIES if remedies else ()), keep=remedies):
            result = _solve(source_of(folder, mapping, others), out, policy, quarantine, encoding, quiet, options)
            stopped = result.effort.cut_by == "interrupt"
            if remedies:
                result, stopped = _with_remedies(result, effort, stopped, quiet)
        from matcher.publish import publish
        from matcher.summary import summary

        for number in (signal.SIGINT, signal.SIGTERM):  # from here on it takes a moment, and is all or nothing anyway
            signal.signal(number, signal.SIG_IGN)
        publish(result, out, also=also)
        if json:
            print_json(summary(result))
        elif not quiet:
            from matcher.cli.show import show

            show(result, summary(result), folder.resolve().name, out, lang)
        _end(result, fail_if_unplaced_above, stopped)


def _interrupt(_number: int, _frame: object) -> None:
    """Stop once; from then on the rest takes a few seconds, and a second Ctrl-C would only throw the plan away."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stopping)
    typer.echo("Stopping; the best plan so far, if there is one, is checked and written …", err=True)
    raise KeyboardInterrupt


def _options(date: str | None, seed: int, strategy: str, effort: float, gap: float, time_limit: float | None) -> dict[str, Any]:
    seconds = 1.0 if time_limit is None else time_limit
    if not all(map(math.isfinite, (effort, gap, seconds))) or effort <= 0 or seconds <= 0:
        raise UsageError("--effort and --time-limit must be numbers greater than 0, and --gap a number")
    day = day_of(date)
    limits = {"effort": effort, "gap": gap, "time_limit_s": time_limit}
    return {"date": day, "seed": seed, "strategy": strategy, "isolate": True, **limits}


def _also(workbook: bool, parquet: bool) -> list[str]:
    """Forms to write the tables in beside CSV. Raises UsageError now, not after the search, where this build lacks one."""
    from matcher.io.extras import library

    wanted = [(workbook, "xlsx", "xlsxwriter"), (parquet, "parquet", "pyarrow")]
    for asked, extra, module in wanted:
        if asked:
            library(module, extra)
    return [extra for asked, extra, _ in wanted if asked]


def _solve(
    source: dict[str, Any], out: Path, policy: Path | None, quarantine: bool, encoding: str, quiet: bool, options: dict[str, Any]
) -> Result:
    from matcher.cli.progress import Progress
    from matcher.errors import InputError
    from matcher.io import read_instance
    from matcher.policy import Policy, read_policy
    from matcher.publish import check_target
    from matcher.solver import solve as run

    check_target(out.resolve())
    faults: list[Any] = []
    chosen, instance = Policy(), None
    try:
        file = policy or policy_beside(source["source"])
        if file is not None:
            chosen = read_policy(file)
    except InputError as error:
        faults += list(error.faults)
    try:
        instance = read_instance(**source, quarantine=quarantine, encoding=encoding, day=options["date"])
    except InputError as error:
        faults += list(error.faults)
    if faults or instance is None:
        if not quarantine and any(fault.line for fault in faults):
            typer.echo("Nothing was solved. Mend these rows and run again, or set faulty rows aside with --quarantine.", err=True)
        raise InputError(faults)
    with Progress(quiet) as progress:
        try:
            return run(instance, chosen, on_progress=progress.update, **options)
        except KeyboardInterrupt:
            raise InterruptedSolve("interrupted before there was any plan; nothing was written") from None


def _with_remedies(result: Result, effort: float, stopped: bool, quiet: bool) -> tuple[Result, bool]:
    """(the result with what would help the unplaced, whether somebody has stopped the run)."""
    from matcher.advise.isolated import with_remedies_isolated
    from matcher.advise.remedies import out_of_reach, told, unexamined

    nobody = unexamined(result)
    floors = result.policy is not None and result.policy.floors.share
    if stopped or not (nobody.not_examined or floors):
        return told(result, nobody), stopped
    count = len(nobody.not_examined)
    who = "1 household" if count == 1 else f"{count} households"
    too_many = out_of_reach(result, effort)
    if not quiet and count and not too_many:
        typer.echo(f"Looking for what would help {who} without a place (--no-remedies leaves that out) …", err=True)
    seconds = None if result.options is None else result.options.time_limit_s
    assert seconds is not None  # the door to solving has settled it
    result, cut_by = with_remedies_isolated(result, effort, seconds)
    left = 0 if result.remedies is None else len(result.remedies.not_examined)
    if left and not quiet:
        them = f"What would help {who} without a place was" if too_many else f"{left} of them were"
        typer.echo(f"{them} not examined: that takes more --effort (or time) than was given.", err=True)
    return result, cut_by == "interrupt"


def _end(result: Result, allowed: int | None, stopped: bool) -> None:
    from matcher.result import LEFT_OUT_REASONS

    if stopped:
        raise typer.Exit(int(ExitCode.INTERRUPTED))
    unplaced = sum(row.persons or 0 for row in result.unplaced if row.reason not in LEFT_OUT_REASONS)
    if allowed is not None and unplaced > allowed:
        raise typer.Exit(int(ExitCode.TOO_MANY_UNPLACED))

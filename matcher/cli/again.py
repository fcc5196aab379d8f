"""`matcher whatif DIR …`, `matcher sweep DIR KEY`, `matcher advise DIR OUT`, `matcher fairness DIR OUT`: what solves again."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from matcher.cli.console import Encoding, Instance, Json, Lang, Quiet, day_of, folder_of, guard, language, policy_beside, print_json
from matcher.errors import UsageError

if TYPE_CHECKING:
    from matcher.answers import CurvePoint, Side
    from matcher.model import Instance as Rows
    from matcher.policy import Policy
    from matcher.result import Result

Out = Annotated[Path, typer.Argument(metavar="OUT", help="Folder that `matcher solve` wrote.")]
PolicyFile = Annotated[Path | None, typer.Option("--policy", help="Policy file; default: policy.toml in DIR, else the defaults.")]
Date = Annotated[str | None, typer.Option("--date", help="Date of the run, YYYY-MM-DD; default today.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the lottery that settles equal cases.")]
Effort = Annotated[float, typer.Option("--effort", help="Amount of work, the default stop; the same on every machine.")]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        "--time-limit", help="Seconds for each search; a safety net. Default: 300, or 6 for each 1,000 households where that is more."
    ),
]
Quarantine = Annotated[bool, typer.Option("--quarantine/--strict", help="Set faulty rows aside, or stop at any (default).")]
Several = list[str]


def whatif(
    folder: Instance,
    set_: Annotated[Several | None, typer.Option("--set", metavar="KEY=VALUE", help="Another value of a policy key.")] = None,
    close: Annotated[Several | None, typer.Option("--close", metavar="ACC", help="An offer that closes.")] = None,
    add_offer: Annotated[
        Several | None, typer.Option("--add-offer", metavar="COLUMN=VALUE,…", help="One more offer, as a row of accommodations.csv.")
    ] = None,
    add_household: Annotated[
        Several | None, typer.Option("--add-household", metavar="COLUMN=VALUE,…", help="One more household, as a row of households.csv.")
    ] = None,
    change_household: Annotated[
        Several | None, typer.Option("--change-household", metavar="household_id=…,COLUMN=VALUE", help="Other cells of a household.")
    ] = None,
    change_tie: Annotated[
        Several | None, typer.Option("--change-tie", metavar="household_id=…,place=…,COLUMN=VALUE", help="Other cells of a tie.")
    ] = None,
    policy: PolicyFile = None,
    date: Date = None,
    seed: Seed = 0,
    effort: Effort = 1.0,
    time_limit: TimeLimit = None,
    quarantine: Quarantine = False,
    lang: Lang = "en",
    encoding: Encoding = "utf-8",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Solve with and without some changes and print what differs. No file is touched. Options may be given several times."""
    with guard(json):
        from matcher.advise.whatif import whatif as compare
        from matcher.cli.progress import Progress
        from matcher.i18n import translator
        from matcher.io import change as read
        from matcher.wording.advice import difference_lines

        chosen = language(lang)
        instance, own = _read(folder, policy, quarantine, encoding)
        changes = [read.read_policy_change(text) for text in set_ or ()]
        every: list[Any] = [*changes, *(_closing(text) for text in close or ())]
        for texts, reader in (
            (add_offer, read.read_new_offer), (add_household, read.read_new_household), (change_household, read.read_household_change),
            (change_tie, read.read_tie_change),
        ):  # fmt: skip
            every += [reader(text, instance) for text in texts or ()]
        if not every:
            raise UsageError("say what changes: --set, --close, --add-offer, --add-household, --change-household, --change-tie")
        with Progress(quiet) as progress:
            found = compare(instance, every, own, on_progress=progress.update, **_options(date, seed, effort, time_limit))
        if json:
            body = {"changes": [list(option) for option in found.options], "before": _side(found.before), "after": _side(found.after)}
            print_json({**body, "placed": list(found.placed), "unplaced": list(found.unplaced), "moved": [asdict(m) for m in found.moved]})
        else:
            for line in difference_lines(found, translator(chosen)):
                typer.echo(line)


def sweep(
    folder: Instance,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Key of the policy, such as ties.weight.")],
    values: Annotated[str, typer.Option("--values", help="Values, separated by commas.")] = "0,0.5,1,2,3,5,10",
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Write the curve as a picture.")] = None,
    table: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write the table as CSV.")] = None,
    policy: PolicyFile = None,
    date: Date = None,
    seed: Seed = 0,
    effort: Effort = 1.0,
    time_limit: TimeLimit = None,
    quarantine: Quarantine = False,
    lang: Lang = "en",
    encoding: Encoding = "utf-8",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Solve for several values of one policy key: ties kept against kilometres, as a table and a picture."""
    with guard(json):
        from matcher.advise.curve import curve_svg
        from matcher.advise.whatif import sweep as run
        from matcher.cli.progress import Progress
        from matcher.i18n import translator
        from matcher.io.change import read_policy_change
        from matcher.wording.advice import curve_lines

        t = translator(language(lang))
        wanted = [read_policy_change(f"{key}={value}").value for value in values.split(",") if value.strip()]
        if not wanted:
            raise UsageError("--values needs at least one value")
        instance, own = _read(folder, policy, quarantine, encoding)
        with Progress(quiet) as progress:
            points = run(instance, key, wanted, own, on_progress=progress.update, **_options(date, seed, effort, time_limit))
        if svg is not None:
            _write(svg, curve_svg(key, points, t))
        if table is not None:
            _write(table, _csv(key, points))
        if json:
            print_json({"key": key, "points": [_point(point) for point in points]})
        elif not quiet:
            for line in curve_lines(key, points, t):
                typer.echo(line)


def advise(
    folder: Instance,
    out: Out,
    effort: Annotated[float, typer.Option("--effort", help="How much may be solved again; the same on every machine.")] = 1.0,
    most: Annotated[int, typer.Option("--most", min=1, help="How many offers, and how many households.")] = 10,
    lang: Lang = "en",
    encoding: Encoding = "utf-8",
    json: Json = False,
) -> None:
    """Say which offers are most worth finding, and what would help the households that wait longest; each tried by solving with it."""
    with guard(json):
        from matcher.advise.leads import advise as look
        from matcher.i18n import translator
        from matcher.told import plain_remedy
        from matcher.wording.advice import advice_lines

        t = translator(language(lang))
        _check_effort(effort)
        found = look(_run(folder, out, encoding), effort, most)
        if json:
            leads = [{**asdict(lead), "worth": lead.worth / 10, "cost": lead.cost / 10, "km": lead.km10 / 10} for lead in found.leads]
            for lead in leads:
                del lead["km10"]
            waiting = [
                {"household_id": i, "days": days, "examined": seen, "remedy": None if remedy is None else plain_remedy(remedy)}
                for i, days, remedy, seen in found.waiting
            ]
            print_json({"offers": leads, "candidates": found.candidates, "not_examined": found.not_examined, "waiting": waiting})
        else:
            for line in advice_lines(found, t):
                typer.echo(line)


def fairness(
    folder: Instance,
    out: Out,
    effort: Annotated[float, typer.Option("--effort", help="How much may be solved again for the price of floors; 0: nothing.")] = 1.0,
    lang: Lang = "en",
    encoding: Encoding = "utf-8",
    json: Json = False,
) -> None:
    """Say who got what: by group, priority, size and origin; what floors cost everybody; and who might ask why."""
    with guard(json):
        from matcher.advise.fair import fairness as look
        from matcher.i18n import translator
        from matcher.wording.advice import fairness_lines

        t = translator(language(lang))
        if effort:
            _check_effort(effort)
        found = look(_run(folder, out, encoding), effort)
        if json:
            print_json(asdict(found))
        else:
            for line in fairness_lines(found, t):
                typer.echo(line)


def _check_effort(effort: float) -> None:
    if not math.isfinite(effort) or effort <= 0:
        raise UsageError("--effort must be a number greater than 0")


def _options(date: str | None, seed: int, effort: float, time_limit: float | None) -> dict[str, Any]:
    _check_effort(effort)
    if time_limit is not None and (not math.isfinite(time_limit) or time_limit <= 0):
        raise UsageError("--time-limit must be a number greater than 0")
    return {"date": day_of(date), "seed": seed, "effort": effort, "time_limit_s": time_limit, "isolate": True}


def _read(folder: Path, policy: Path | None, quarantine: bool, encoding: str) -> tuple[Rows, Policy]:
    from matcher.io import read_instance
    from matcher.policy import Policy, read_policy

    path = folder_of(folder)
    file = policy or policy_beside(path)
    own = Policy() if file is None else read_policy(file)
    return read_instance(path, quarantine=quarantine, encoding=encoding), own


def _run(folder: Path, out: Path, encoding: str) -> Result:
    """A written run as a result again. Raises UsageError where the instance has changed since."""
    from matcher.io import read_instance
    from matcher.published import read_published, result_of, with_distances
    from matcher.verify import settings_of

    published = read_published(folder_of(out))
    date, quarantine, policy = settings_of(published.summary)
    instance = with_distances(read_instance(folder_of(folder), quarantine=quarantine, encoding=encoding), policy, out)
    if instance.sha256 != published.summary.get("input_sha256"):
        raise UsageError("the instance has changed since this run; run `matcher solve` again")
    return result_of(published, instance, policy, date)


def _closing(accommodation_id: str) -> Any:
    from matcher.changes import CloseOffer

    return CloseOffer(accommodation_id)


def _side(side: Side) -> dict[str, Any]:
    terms = {term: value / 10 for term, value in side.cost.terms.items()}
    values = {**asdict(side), "cost": side.cost.total / 10, "cost_terms": terms, "bound": side.bound / 10, "km": side.km10 / 10}
    del values["km10"]
    return {**values, "groups": dict(side.groups)}


def _point(point: CurvePoint) -> dict[str, Any]:
    values = {"value": point.value, "persons": point.persons, "km": point.km10 / 10, "ties_kept": point.ties_kept, "ties": point.ties}
    return {**values, "cost": point.cost / 10, "proved": point.proved}


def _csv(key: str, points: tuple[CurvePoint, ...]) -> str:
    text = io.StringIO()
    rows = [_point(point) for point in points]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([key, *list(rows[0])[1:]])
    writer.writerows(["yes" if v is True else "no" if v is False else v for v in row.values()] for row in rows)
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} could not be written: {error.strerror}") from None

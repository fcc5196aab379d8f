"""`matcher report OUT`"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from matcher.cli.console import Encoding, Json, Lang, Quiet, folder_of, guard, print_json
from matcher.errors import UsageError

if TYPE_CHECKING:
    from matcher.published import Published
    from matcher.result import Result

Out = Annotated[Path, typer.Argument(metavar="OUT", help="Folder that `matcher solve` wrote.")]
InstanceOf = Annotated[
    Path | None,
    typer.Option("--instance", metavar="DIR", help="The instance of the run; needed only where OUT has no full page to start from."),
]
Effort = Annotated[
    float, typer.Option("--effort", help="With --instance: how much may be solved again for the offers most worth finding; 0: nothing.")
]
Alternatives = Annotated[
    bool, typer.Option("--alternatives", help="With --instance: solve again also for what next best offers would cost if others may move.")
]
Public = Annotated[bool, typer.Option("--public", help="Totals only, small numbers hidden: no household, no offer.")]
File = Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to write; default: OUT/report.html.")]


def report(
    out: Out,
    instance: InstanceOf = None,
    effort: Effort = 1.0,
    alternatives: Alternatives = False,
    public: Public = False,
    file: File = None,
    lang: Lang = "en",
    encoding: Encoding = "utf-8",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the page of a run (report.html) again: in another language, or as a public page with totals only."""
    with guard(json):
        from matcher.publish import write_page
        from matcher.report import page, public_page

        if not math.isfinite(effort) or effort < 0:
            raise UsageError("--effort must be a number, 0 or more")
        if alternatives and (instance is None or not effort):
            raise UsageError("--alternatives solves again: it needs --instance DIR and an --effort above 0")
        data = _data(folder_of(out), instance, encoding, effort, alternatives)
        text = public_page(data, lang) if public else page(data, lang)
        target = file or out / "report.html"
        write_page(target, text)
        if json:
            print_json({"report": str(target), "lang": lang, "public": public})
        elif not quiet:
            typer.echo(str(target))
            if public and file is None and not json:
                typer.echo(f"The full page is replaced; make it again with: matcher report {out} --instance DIR", err=True)


def _data(out: Path, instance: Path | None, encoding: str, effort: float, alternatives: bool) -> dict[str, Any]:
    from matcher.published import read_published
    from matcher.report import data_of_page

    if instance is not None:
        return _made_anew(read_published(out), out, folder_of(instance), encoding, effort, alternatives)
    full = out / "report.html"
    if not full.is_file():
        raise UsageError(f"{full} is not there to start from; name the instance of the run: --instance DIR")
    return data_of_page(full.read_text(encoding="utf-8"))


def _made_anew(published: Published, out: Path, folder: Path, encoding: str, effort: float, alternatives: bool) -> dict[str, Any]:
    """The data from the tables of the run and its instance. Raises UsageError where they do not belong together."""
    from matcher.advise.worth import with_worth
    from matcher.io import read_instance
    from matcher.published import result_of, with_distances
    from matcher.report import report_data
    from matcher.verify import settings_of

    date, quarantine, policy = settings_of(published.summary)
    instance = with_distances(read_instance(folder, quarantine=quarantine, encoding=encoding), policy, out)
    if instance.sha256 != published.summary.get("input_sha256"):
        raise UsageError(f"{folder} is not the instance that this run was made from, or it has changed since")
    result = result_of(published, instance, policy, date)
    if effort:
        result = with_worth(result, effort, alternatives=alternatives)
    if alternatives:
        _say_how_far(result)
    return report_data(result, published.summary)


def _say_how_far(result: Result) -> None:
    """For how many households what next best offers would cost was solved again, where not for all."""
    wanted = {row.household_id for row in result.placements if row.alternatives and not row.protected}
    done = len(wanted & result.worth.again.keys()) if result.worth is not None else 0
    if done < len(wanted):
        note = f"Next best offers were solved again for {done} of {len(wanted)} households, the most urgent first;"
        typer.echo(f"{note} a higher --effort reaches more of them, but for those tied to somebody who is left out.", err=True)

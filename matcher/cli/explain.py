"""`matcher explain DIR OUT ID`"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matcher.cli.console import Encoding, Instance, Json, Lang, Mapping, Others, folder_of, guard, language, print_json, source_of
from matcher.errors import UsageError

if TYPE_CHECKING:
    from matcher.answers import Explained

Out = Annotated[Path, typer.Argument(metavar="OUT", help="Folder that `matcher solve` wrote.")]
HouseholdId = Annotated[str, typer.Argument(metavar="ID", help="The household_id.")]
Effort = Annotated[
    float, typer.Option("--effort", help="Of solving again with the household pinned to each next best offer, and for a remedy; 0: not.")
]


def explain(
    folder: Instance,
    out: Out,
    household_id: HouseholdId,
    effort: Effort = 1.0,
    lang: Lang = "en",
    mapping: Mapping = None,
    others: Others = None,
    encoding: Encoding = "utf-8",
    json: Json = False,
) -> None:
    """Say why a household is where it is and what else there was, or why it has no place and what would help."""
    with guard(json):
        from matcher.explain import Explainer, with_names
        from matcher.explain import explain as why
        from matcher.io import read_instance
        from matcher.published import read_published, result_of, with_distances
        from matcher.told import plain
        from matcher.verify import settings_of

        chosen = language(lang)
        if not math.isfinite(effort) or effort < 0:
            raise UsageError("--effort must be a number, 0 or more")
        published = read_published(folder_of(out))
        date, quarantine, policy = settings_of(published.summary)
        instance = with_distances(
            read_instance(**source_of(folder, mapping, others), quarantine=quarantine, encoding=encoding, day=date), policy, out
        )
        result = result_of(published, instance, policy, date)
        if instance.sha256 == published.summary.get("input_sha256"):
            found = why(result, household_id, effort=effort)
        else:
            typer.echo("Note: the instance has changed since this run; run `matcher solve` again.", err=True)
            found = Explainer.of(result, same=False).explain(household_id)
        if json:
            print_json(plain(found))
            return
        typer.echo("\n".join(with_names(found, instance, chosen).lines(chosen)))
        if effort > 0 and (any(one.resolved_cost is None for one in found.alternatives) or _unexamined(found)):
            typer.echo("Note: not all was solved again, for lack of effort; allow more with --effort.", err=True)


def _unexamined(found: Explained) -> bool:
    from matcher.result import LEFT_OUT_REASONS

    return not found.placed and not found.examined and found.reason not in LEFT_OUT_REASONS

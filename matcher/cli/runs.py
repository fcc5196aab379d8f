"""`matcher runs list`, `matcher runs show RUN`, `matcher runs diff RUN RUN`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from matcher.cli.console import Json, guard, print_json
from matcher.cli.where import Config, HistoryAt, history_of

if TYPE_CHECKING:
    from matcher.history import Run

app = typer.Typer(no_args_is_help=True, help="Look at the runs that were recorded: list them, show one, compare two.")
RunId = Annotated[str, typer.Argument(metavar="RUN", help="A run's number, or its name: 2026-11-22, 2026-11-22.2.")]


@app.command("list")
def list_runs(
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, the newest first.")] = 30,
    config: Config = None,
    history: HistoryAt = None,
    json: Json = False,
) -> None:
    """List the runs, the newest first."""
    with guard(json):
        with history_of(config, history) as opened:
            found = opened.runs(limit=limit)
        if json:
            print_json([_plain(run) for run in found])
            return
        if not found:
            typer.echo("No run has been recorded yet.")
            return
        typer.echo(f"{'run':>5}  {'name':<13} {'outcome':<10} {'status':<9} {'placed':>8} {'unplaced':>8}  {'gap':>8}  began (UTC)")
        for run in found:
            persons = run.counts.get("persons", {})
            numbers = f"{persons.get('placed', ''):>8} {persons.get('unplaced', ''):>8}"
            gap = "" if run.gap is None else f"{run.gap:.3%}"
            began = f"{run.started_at:%Y-%m-%d %H:%M:%S}"
            typer.echo(f"{run.id:>5}  {run.name:<13} {run.outcome:<10} {run.status or '':<9} {numbers}  {gap:>8}  {began}")
            if run.message:
                typer.echo(f"       {run.message}")


@app.command("show")
def show_run(run: RunId, config: Config = None, history: HistoryAt = None, json: Json = False) -> None:
    """Show everything that was recorded of one run."""
    with guard(json):
        with history_of(config, history) as opened:
            found = opened.run(run)
            proposals = opened.proposals(found)
        plain = _plain(found)
        kinds: dict[str, int] = {}
        for one in proposals:
            kinds[one.status] = kinds.get(one.status, 0) + 1
        plain["placements"] = dict(sorted(kinds.items()))
        if json:
            print_json(plain)
            return
        for name, value in plain.items():
            if value in (None, "", {}, []):
                continue
            if isinstance(value, dict):
                typer.echo(name)
                for key, inner in value.items():
                    typer.echo(f"  {key:<24}{_shown(inner)}")
            else:
                typer.echo(f"{name:<26}{value}")


@app.command("diff")
def diff_runs(first: RunId, second: RunId, config: Config = None, history: HistoryAt = None, json: Json = False) -> None:
    """Say who moved between two runs, and which input changed. Protected households stand there by id and `changed` only."""
    with guard(json):
        from matcher.differences import difference, plain

        with history_of(config, history) as opened:
            found = difference(opened, opened.run(first), opened.run(second))
        if json:
            print_json(plain(found))
            return
        moves = len(found.moves)
        typer.echo(f"From {found.first.name} to {found.second.name}: {moves} moved, {found.kept} as they were")
        for kind, counts in found.inputs.items():
            typer.echo(f"  {kind}s: " + ", ".join(f"{count} {what}" for what, count in counts.items()))
        for setting in found.settings:
            typer.echo(f"  {setting} changed")
        if not found.known:
            typer.echo("  What changed in the input is not known: one of the runs has no record of it.")
        for move in found.moves:
            if move.protected:
                typer.echo(f"{move.household_id:<16}changed")
                continue
            way = " → ".join(home or "none" for home in (move.before, move.after))
            others = "nothing of its own changed: others came, left or decided" if found.known else ""
            why = "; ".join(move.why) or others
            typer.echo(f"{move.household_id:<16}{move.change:<9}{way}  {why}".rstrip())


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key}={_shown(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return " ".join(map(_shown, value))
    return str(value)


def _plain(run: Run) -> dict[str, Any]:
    """A run as JSON data."""
    out: dict[str, Any] = {name: getattr(run, name) for name in run.__dataclass_fields__}
    out["date"] = run.date.isoformat()
    for name in ("started_at", "finished_at"):
        out[name] = None if out[name] is None else out[name].isoformat().replace("+00:00", "Z")
    out["files"] = {name: {"size": f.size, "rows": f.rows, "sha256": f.sha256} for name, f in run.files.items()}
    for name in ("policy", "options", "versions", "cost_terms", "counts", "timings"):
        out[name] = dict(out[name])
    return out

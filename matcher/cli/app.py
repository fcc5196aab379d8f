"""The `matcher` command. Heavy imports happen inside the commands, so that `--help` answers at once."""

from __future__ import annotations

from typing import Annotated

import typer

from matcher._version import __version__
from matcher.cli.again import advise, fairness, sweep, whatif
from matcher.cli.decide import decide
from matcher.cli.deliver import deliver
from matcher.cli.doctor import doctor
from matcher.cli.explain import explain
from matcher.cli.generate import generate
from matcher.cli.history import app as history
from matcher.cli.lottery import app as lottery
from matcher.cli.map import map_
from matcher.cli.nightly import nightly
from matcher.cli.report import report
from matcher.cli.runs import app as runs
from matcher.cli.schema import schema
from matcher.cli.serve import serve
from matcher.cli.simulate import simulate
from matcher.cli.solve import solve
from matcher.cli.template import template
from matcher.cli.validate import validate
from matcher.cli.verify import verify

app = typer.Typer(
    name="matcher",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Propose who goes where: whole households, real beds and rooms, near family, with a proof of how good the plan is.",
)
for command in (validate, solve, verify, explain, advise, whatif, sweep, fairness, report, generate, template, deliver, nightly):
    app.command()(command)
app.command()(schema)
app.command()(serve)
app.command()(decide)
app.command()(doctor)
app.command()(simulate)
for name, group in (("runs", runs), ("history", history), ("lottery", lottery)):
    app.add_typer(group, name=name)
app.command(name="map")(map_)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"matcher {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")] = False,
) -> None:
    """Options of the program itself."""


def main() -> None:
    """Entry point of the console command."""
    app()


if __name__ == "__main__":
    main()

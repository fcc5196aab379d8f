"""`matcher lottery commit DIR --seed N`, `matcher lottery verify PROMISE DIR [OUT]`"""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import Annotated

import typer

from matcher.cli.console import Encoding, Instance, Json, folder_of, guard, print_json
from matcher.errors import ExitCode, UsageError

app = typer.Typer(no_args_is_help=True, help="Promise the lottery that settles equal cases before a run, and check the promise after it.")
Seed = Annotated[int, typer.Option("--seed", min=0, help="The seed that the run will use.")]
Promise = Annotated[Path, typer.Argument(metavar="PROMISE", help="File that `matcher lottery commit` wrote.")]
Out = Annotated[Path | None, typer.Argument(metavar="[OUT]", help="Folder of the run, to check its seed and its equal cases too.")]
File = Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the promise to a file, for `verify`.")]
Quarantine = Annotated[bool, typer.Option("--quarantine/--strict", help="Set faulty rows aside, or stop at any (default).")]


@app.command()
def commit(
    folder: Instance, seed: Seed = 0, file: File = None, quarantine: Quarantine = False, encoding: Encoding = "utf-8", json: Json = False
) -> None:
    """Sum up the seed and the list of ids, to be published before the run."""
    with guard(json):
        from matcher.commitment import commit as promise_of
        from matcher.io import read_instance

        promise = promise_of(read_instance(folder_of(folder), quarantine=quarantine, encoding=encoding), seed)
        if file is not None:
            try:
                file.write_text(json_.dumps(promise.plain(), indent=2) + "\n", encoding="utf-8")
            except OSError as error:
                raise UsageError(f"{file} could not be written: {error.strerror}") from None
        if json:
            print_json(promise.plain())
            return
        typer.echo(f"seed                 {promise.seed}")
        typer.echo(f"households           {promise.households}")
        typer.echo(f"sum of the ids       {promise.ids_sha256}")
        typer.echo(f"promise              {promise.sha256}")
        typer.echo(f"lots                 {promise.method}")
        typer.echo(f"Publish this before the run; then run: matcher solve {folder} --seed {promise.seed} …")


@app.command()
def verify(promise: Promise, folder: Instance, out: Out = None, encoding: Encoding = "utf-8", json: Json = False) -> None:
    """Check that the list of ids, and a run's seed and equal cases, are as was promised. Exit code 1 if they are not."""
    with guard(json):
        from matcher.commitment import broken_promises, read_commitment
        from matcher.io import read_instance
        from matcher.published import read_published, result_of, with_distances
        from matcher.verify import settings_of

        try:
            held = read_commitment(promise.read_text(encoding="utf-8"), promise.name)
        except OSError as error:
            raise UsageError(f"{promise} could not be read: {error.strerror}") from None
        if out is None:
            faults = broken_promises(held, read_instance(folder_of(folder), encoding=encoding))
        else:
            published = read_published(folder_of(out))
            date, quarantine, policy = settings_of(published.summary)
            instance = with_distances(read_instance(folder_of(folder), quarantine=quarantine, encoding=encoding), policy, out)
            changed = instance.sha256 != published.summary.get("input_sha256")
            result = None if changed else result_of(published, instance, policy, date)
            faults = broken_promises(held, instance, result)
            if changed:
                faults.append("the instance has changed since the run, so that the run cannot be checked against it")
        if json:
            print_json({"kept": not faults, "faults": faults})
        else:
            for fault in faults:
                typer.echo(fault, err=True)
            typer.echo("The promise was not kept." if faults else "The promise was kept.")
        if faults:
            raise typer.Exit(int(ExitCode.INTERNAL))

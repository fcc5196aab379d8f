"""`matcher schema [NAME]`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matcher.cli.console import Json, guard, print_json
from matcher.errors import UsageError

Name = Annotated[str | None, typer.Argument(metavar="NAME", help="households, policy, summary …; default: all of them by name.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help="Write NAME.schema.json files into this folder instead.")]


def schema(name: Name = None, out: Out = None, json: Json = False) -> None:
    """Print the JSON Schema of what goes in and comes out. It is JSON with and without --json."""
    with guard(json):
        from matcher.schema import schemas

        found = schemas()
        if name is not None and name not in found:
            raise UsageError(f"there is no schema {name!r}; choices: {', '.join(found)}")
        chosen = found if name is None else {name: found[name]}
        if out is None:
            print_json(chosen if name is None else found[name])
            return
        _write(chosen, out)
        typer.echo(f"{len(chosen)} schemas in {out}", err=True)


def _write(chosen: dict[str, dict[str, object]], out: Path) -> None:
    from matcher.publish import plain_json

    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, body in chosen.items():
            (out / f"{name}.schema.json").write_text(plain_json(body), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{out} cannot be written to: {error.strerror}") from error

"""`matcher deliver DIR INBOX`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matcher.cli.console import Encoding, Instance, Json, Quiet, guard, print_json

Inbox = Annotated[Path, typer.Argument(metavar="INBOX", help="Folder in which the nightly run looks for deliveries.")]


def deliver(folder: Instance, inbox: Inbox, encoding: Encoding = "utf-8", json: Json = False, quiet: Quiet = False) -> None:
    """Put the files of DIR into INBOX as one delivery, whole or not at all, with a manifest of their sizes, rows and SHA-256."""
    with guard(json):
        from matcher.nightly.inbox import deliver as put

        made = put(folder, inbox, encoding=encoding)
        if json:
            files = [entry.model_dump(mode="json") for entry in made.manifest.files]
            print_json({"delivery": made.folder.name, "folder": str(made.folder), "files": files, "left_behind": list(made.left_behind)})
            return
        for name in made.left_behind:
            typer.echo(f"{name} is no file of a delivery and was left behind.", err=True)
        if not quiet:
            for entry in made.manifest.files:
                rows = "" if entry.rows is None else f"{entry.rows:>9} rows"
                typer.echo(f"{entry.name:<22}{rows:<14}")
            typer.echo(f"Delivered as {made.folder}")

"""`matcher template out.xlsx|DIR`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matcher.cli.console import Quiet, guard
from matcher.errors import UsageError

Target = Annotated[Path, typer.Argument(metavar="OUT", help="A workbook to write (NAME.xlsx), or a new or empty folder for CSV files.")]


def template(
    target: Target,
    lang: Annotated[str, typer.Option("--lang", help="Language of the explanations: en or uk.")] = "en",
    quiet: Quiet = False,
) -> None:
    """Write an empty instance to fill in: every column explained, drop-downs for coded values, two example rows."""
    with guard():
        from matcher.io.template import LANGS, template_files, template_workbook

        if lang not in LANGS:
            raise UsageError(f"--lang {lang!r} is not there; choose {' or '.join(LANGS)}")
        language = LANGS[LANGS.index(lang)]
        if target.suffix.lower() == ".xlsx":
            if target.exists():
                raise UsageError(f"{target} is there already; name another file")
            contents = {target: template_workbook(language)}
        elif target.suffix and not target.is_dir():
            raise UsageError(f"{target} is neither a workbook .xlsx nor a folder")
        else:
            if target.exists() and (not target.is_dir() or any(target.iterdir())):
                raise UsageError(f"{target} is not empty; name a new folder")
            contents = {target / name: text.encode("utf-8") for name, text in template_files(language).items()}
        _write(contents)
        if not quiet:
            typer.echo(f"{target}: fill it in, then `matcher validate {target}`. Rows whose ids begin with EXAMPLE- are examples.")


def _write(contents: dict[Path, bytes]) -> None:
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"the template could not be written: {error.strerror}") from error

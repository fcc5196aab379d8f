"""`matcher serve`"""

from __future__ import annotations

import os
import secrets
from copy import deepcopy
from pathlib import Path
from typing import Annotated

import typer

from matcher.cli.console import Quiet, guard
from matcher.errors import UsageError

TOKEN = "MATCHER_TOKEN"  # noqa: S105  (the name of a variable)


def serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen on; by default programs on this machine alone.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0: any that is free.")] = 8000,
    token_file: Annotated[Path | None, typer.Option("--token-file", help="File with the token that callers must present.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=64, help="Searches at once; each takes a core.")] = 1,
    queue: Annotated[int, typer.Option("--queue", min=0, help="Runs that may wait.")] = 100,
    keep: Annotated[int, typer.Option("--keep", min=1, help="Ended runs that are kept.")] = 50,
    keep_minutes: Annotated[float, typer.Option("--keep-minutes", help="How long ended runs are kept.")] = 60.0,
    max_mib: Annotated[float, typer.Option("--max-mib", help="Largest body of a request.")] = 32.0,
    max_households: Annotated[int, typer.Option("--max-households", min=1, help="Largest instance.")] = 20_000,
    max_seconds: Annotated[float, typer.Option("--max-seconds", help="Longest search.")] = 300.0,
    max_effort: Annotated[float, typer.Option("--max-effort", help="Largest effort of a search.")] = 1.0,
    max_memory_mib: Annotated[int, typer.Option("--max-memory-mib", min=64, help="Memory that a search may take.")] = 4096,
    protected: Annotated[
        bool, typer.Option("--protected/--no-protected", help="Hand out destinations of protected households, too (their own file).")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Answer other systems over HTTP: runs as jobs, with progress and cancel (needs the extra `api`)."""
    with guard():
        from pydantic import ValidationError

        try:
            import uvicorn

            from matcher.serve.app import create_app
        except ImportError as error:
            raise UsageError(f"this build has no service ({error.name} is missing); install shelter-matcher[api]") from None
        from matcher.serve.settings import Settings

        token, made = _token(token_file)
        try:
            settings = Settings.model_validate(
                {
                    "token": token, "host": host, "port": port, "jobs": jobs, "queue": queue, "keep": keep, "keep_minutes": keep_minutes,
                    "most_mib": max_mib, "most_households": max_households, "most_seconds": max_seconds, "most_effort": max_effort,
                    "most_memory_mib": max_memory_mib, "protected": protected,
                }
            )  # fmt: skip
        except ValidationError as error:
            found = [f"{item['loc'][0] if item['loc'] else 'options'}: {item['msg']}" for item in error.errors()]
            raise UsageError("; ".join(found)) from None
        if made and not settings.is_loopback:
            raise UsageError(f"a service that others can reach needs a token of its own: --token-file FILE, or the variable {TOKEN}")
        if made:
            typer.echo(f"Token for this time: {token}", err=True)
        logs = deepcopy(uvicorn.config.LOGGING_CONFIG)
        logs["handlers"]["access"]["stream"] = "ext://sys.stderr"  # standard output is for results, and there are none
        uvicorn.run(
            create_app(settings), host=host, port=port, log_config=logs, log_level="warning" if quiet else "info",
            server_header=False, date_header=False, timeout_keep_alive=10, limit_concurrency=200,
        )  # fmt: skip


def _token(file: Path | None) -> tuple[str, bool]:
    """(the token, whether it was made up)."""
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").strip(), False
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}") from None
    named = os.environ.get(TOKEN, "").strip()
    return (named, False) if named else (secrets.token_urlsafe(24), True)

"""The application: routes over `Jobs`. `create_app` is all that is public."""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import swagger_ui_bundle  # type: ignore[import-untyped]
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse
from fastapi.security import HTTPBearer

from matcher._version import __version__
from matcher.errors import MatcherError, UsageError
from matcher.explain import explain
from matcher.schema import schemas
from matcher.serve.bodies import Health, Message, Progress, Run, Runs, Task, Wrong
from matcher.serve.guards import Guard
from matcher.serve.jobs import Full, Job, Jobs
from matcher.serve.metrics import metrics_text
from matcher.serve.settings import Settings
from matcher.told import plain as plain_explanation

ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")
REFUSED: dict[int | str, dict[str, Any]] = {status: {"model": Message} for status in (401, 404, 413, 422)}
RunId = Annotated[str, InPath(min_length=1, max_length=64)]
Bearer = Depends(HTTPBearer(auto_error=False, description="The token that the service was started with."))


def create_app(settings: Settings) -> FastAPI:
    """The service. Runs are stopped when it shuts down."""
    jobs = Jobs(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        jobs.close()

    app = FastAPI(
        title="shelter-matcher", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None, responses=REFUSED,
        description="Proposes who goes where. A run is a job: POST /solve, then GET /runs/{id} until its state is done. A person decides.",
    )  # fmt: skip
    app.openapi_version = "3.0.3"  # what the bundled page can show
    app.state.jobs = jobs
    app.add_middleware(Guard, settings=settings)
    app.add_exception_handler(RequestValidationError, _bad_request)
    _add_runs(app, jobs)
    _add_rest(app, jobs)
    _add_docs(app)
    return app


def _bad_request(_: Request, error: Exception) -> JSONResponse:
    """What is wrong with a request, without its values: they may be of persons."""
    assert isinstance(error, RequestValidationError)
    faults = [f"{'.'.join(map(str, item['loc']))}: {item['msg'].removeprefix('Value error, ')}" for item in error.errors()[:20]]
    return JSONResponse({"detail": "; ".join(faults)}, 422)


def _add_runs(app: FastAPI, jobs: Jobs) -> None:
    def find(run_id: str) -> Job:
        job = jobs.get(run_id)
        if job is None:
            raise HTTPException(404, "there is no such run, or not any more")
        return job

    @app.post("/solve", status_code=202, response_model=Run, response_model_exclude_none=True, dependencies=[Bearer],
              responses={429: {"model": Message, "description": "Too many runs are waiting."}})  # fmt: skip
    def solve(task: Task, response: Response) -> Run:
        """Put a run into the queue. Faults of rows and policies are told by the run itself, all of them at once."""
        try:
            job = jobs.add(task)
        except Full:
            raise HTTPException(429, "too many runs are waiting; try again later", {"Retry-After": "10"}) from None
        response.headers["Location"] = f"/runs/{job.id}"
        return shown(job)

    @app.get("/runs", response_model=Runs, response_model_exclude_none=True, dependencies=[Bearer])
    def runs() -> Runs:
        """The runs that are still known, newest first."""
        return Runs(runs=[shown(job, brief=True) for job in jobs.all()])

    @app.get("/runs/{run_id}", response_model=Run, response_model_exclude_none=True, dependencies=[Bearer])
    def run(run_id: RunId) -> Run:
        """State and progress; the summary and the names of the files once it is done."""
        return shown(find(run_id))

    @app.post("/runs/{run_id}/cancel", response_model=Run, response_model_exclude_none=True, dependencies=[Bearer])
    def cancel(run_id: RunId) -> Run:
        """Stop a run within a second or two; the best plan so far is checked and kept."""
        job = find(run_id)
        jobs.cancel(job)
        return shown(job)

    @app.delete("/runs/{run_id}", status_code=204, response_class=Response, dependencies=[Bearer])
    def forget(run_id: RunId) -> None:
        """Stop a run and forget all of it."""
        jobs.drop(find(run_id))

    @app.get("/runs/{run_id}/files/{name}", dependencies=[Bearer], response_class=PlainTextResponse,
             responses={200: {"content": {"text/csv": {}, "application/json": {}, "text/html": {}}}})  # fmt: skip
    def file(run_id: RunId, name: Annotated[str, InPath(min_length=1, max_length=64)]) -> Response:
        """A file of the run as `matcher solve` writes it: placements.csv, unplaced.csv, summary.json, report.html …"""
        found = find(run_id).files.get(name)
        if found is None:
            raise HTTPException(404, "the run has no such file (yet)")
        kind = mimetypes.guess_type(name)[0] or "text/plain"
        safe = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox allow-scripts", "Cache-Control": "no-store"}
        return Response(found, media_type=f"{kind}; charset=utf-8" if kind.startswith("text/") else kind, headers=safe)

    @app.get("/explain", dependencies=[Bearer])
    def why(
        run: Annotated[str, Query(min_length=1, max_length=64)], household_id: Annotated[str, Query(min_length=1, max_length=200)]
    ) -> dict[str, Any]:
        """Why a household of a run is where it is, or why it has no place; of protected ones nothing but that."""
        job = find(run)
        if job.result is None:
            raise HTTPException(404, "the run has no plan (yet)")
        try:
            return plain_explanation(explain(job.result, household_id, effort=0.0))
        except UsageError as error:
            raise HTTPException(404, str(error)) from None
        except MatcherError as error:
            raise HTTPException(422, str(error)) from None


def shown(job: Job, *, brief: bool = False) -> Run:
    """A run as callers see it."""
    return Run(
        id=job.id,
        state=job.state,
        progress=Progress(seconds=round(job.seconds, 3), cost=job.cost, bound=job.bound),
        summary=None if brief or job.summary is None else dict(job.summary),
        files=sorted(job.files),
        error=None if job.error is None else Wrong.model_validate(dict(job.error)),
    )


def _add_rest(app: FastAPI, jobs: Jobs) -> None:
    known = schemas()

    @app.get("/schema", dependencies=[Bearer])
    def all_schemas() -> dict[str, Any]:
        """JSON Schema of all that goes in and comes out, by name."""
        return known

    @app.get("/schema/{name}", dependencies=[Bearer])
    def one_schema(name: Annotated[str, InPath(min_length=1, max_length=64)]) -> dict[str, Any]:
        """One of them."""
        if name not in known:
            raise HTTPException(404, f"there is no such schema; choices: {', '.join(known)}")
        return known[name]

    @app.get("/health", response_model=Health)
    def health() -> Health:
        """Whether the service answers. Needs no token, and tells nothing else."""
        return Health(status="ok", version=__version__)

    @app.get("/metrics", response_class=PlainTextResponse, dependencies=[Bearer])
    def metrics() -> str:
        """Counts for Prometheus."""
        return metrics_text(jobs)


def _add_docs(app: FastAPI) -> None:
    vendor = Path(swagger_ui_bundle.__file__).parent / "vendor"
    folder = next(path for path in sorted(vendor.iterdir()) if (path / ASSETS[0]).is_file())

    @app.get("/static/{name}", include_in_schema=False)
    def asset(name: str) -> FileResponse:
        if name not in ASSETS:
            raise HTTPException(404, "there is no such file")
        return FileResponse(folder / name)

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        page = get_swagger_ui_html(
            openapi_url="/openapi.json", title="shelter-matcher", swagger_css_url=f"/static/{ASSETS[0]}",
            swagger_js_url=f"/static/{ASSETS[1]}", swagger_favicon_url=f"/static/{ASSETS[2]}",
        )  # fmt: skip
        page.headers["Content-Security-Policy"] = "default-src 'self' 'unsafe-inline'; img-src 'self' data:"
        return page

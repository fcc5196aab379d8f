"""What the service takes and gives, as checked models; the schemas of the OpenAPI page come from here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

Row = Annotated[dict[str, Any], Field(description="Cells by column: text, numbers, true/false, lists of words, or null for empty.")]
Rows = Annotated[list[Row], Field(description="Rows of the file of that name (GET /schema/NAME has its columns).")]
_DEEPEST: Final = 8
"""The body, instance, a table, a row, the words of a cell: 5; and a policy's deepest value is 5 deep."""
State = Literal["queued", "running", "done", "failed", "cancelled"]


class Body(BaseModel):
    """Base: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class Tables(Body):
    """An instance, file by file."""

    households: Rows
    accommodations: Rows
    members: Rows = []
    ties: Rows = []
    travel: Rows = []
    places: Rows = []
    placements: Rows = []
    overrides: Rows = []


class Options(Body):
    """How hard to search. Limits of the service hold besides."""

    date: Annotated[dt.date | SkipJsonSchema[None], Field(description="Date of the run; default: today.")] = None
    seed: Annotated[int, Field(ge=0, le=1 << 62)] = 0
    strategy: Annotated[str, Field(max_length=40)] = "auto"
    effort: Annotated[float, Field(ge=0.0001, allow_inf_nan=False)] = 1.0
    gap: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    time_limit_s: Annotated[float, Field(ge=0.01, allow_inf_nan=False)] = 60.0
    quarantine: Annotated[bool, Field(description="Set faulty rows aside instead of ending the run.")] = False
    lang: Literal["en", "uk"] = "en"


class Task(Body):
    """POST /solve"""

    instance: Tables
    policy: Annotated[dict[str, Any], Field(description="As in policy.toml (GET /schema/policy).")] = {}
    options: Options = Options()

    @model_validator(mode="before")
    @classmethod
    def _is_plain(cls, body: object) -> object:
        """Keys are text, and nothing is nested deeper than rows and policies are."""
        layer: list[Any] = [body]
        for _ in range(_DEEPEST):
            if any(_has_no_text("".join(part)) for part in layer if isinstance(part, dict)):
                raise ValueError("a name has half a surrogate pair, which is no text")
            layer = [value for part in layer for value in _held(part) if isinstance(value, dict | list)]
            if not layer:
                return body
        raise ValueError(f"lists and objects are nested more than {_DEEPEST} deep")


def _held(part: Any) -> Iterable[Any]:
    return part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()


def _has_no_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


class Fault(BaseModel):
    """A fault of a row; line: 1-based position in its list, 0 for all of it."""

    file: str
    line: int
    column: str
    code: str
    message: str


class Wrong(BaseModel):
    """Why a run failed, as the command line says it with --json. exit_code: what the command would end with."""

    kind: str
    exit_code: int
    message: str = ""
    faults: list[Fault] = []
    ids: list[str] = []


class Progress(BaseModel):
    """Costs in tenths of a person-km; left out while not known."""

    seconds: float
    cost: int | SkipJsonSchema[None] = None
    bound: int | SkipJsonSchema[None] = None


class Run(BaseModel):
    """A run: state, progress, and what it ended with."""

    id: str
    state: State
    progress: Progress
    summary: Annotated[dict[str, Any] | SkipJsonSchema[None], Field(description="As summary.json, once there is a plan.")] = None
    files: list[str] = []
    error: Wrong | SkipJsonSchema[None] = None


class Runs(BaseModel):
    """The runs that this service still has, newest first; without their summaries."""

    runs: list[Run]


class Message(BaseModel):
    """Why a request was refused."""

    detail: str


class Health(BaseModel):
    """GET /health"""

    status: str
    version: str

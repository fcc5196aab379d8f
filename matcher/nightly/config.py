"""nightly.toml: where things are, how hard to search, when to be suspicious, whom to tell."""

from __future__ import annotations

import datetime as dt
import difflib
import os
import tomllib
import zoneinfo
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from matcher.errors import UsageError
from matcher.i18n import Lang

FROM_ENVIRONMENT = "env:"
SPARE_S = 10
Words = tuple[str, ...]


class Section(BaseModel):
    """Base of the tables: frozen, unknown keys are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SolveConfig(Section):
    """[solve] How hard to search. time_limit_s: of the first try. deadline_s: of all tries together, and of the search for what would
    help those without a place (remedies); whatever these do, a plan is there or the run has failed some seconds later. memory_mib: what
    a search may take; None: no limit."""

    seed: Annotated[int, Field(ge=0)] = 0
    strategy: str = "auto"
    effort: Annotated[float, Field(gt=0)] = 1.0
    gap: Annotated[float, Field(ge=0)] = 0.0
    time_limit_s: Annotated[float, Field(gt=0)] = 150.0
    deadline_s: Annotated[float, Field(gt=0)] = 210.0
    memory_mib: Annotated[int, Field(ge=256)] | None = None
    warm: bool = True
    remedies: bool = True
    quarantine: bool = False
    lang: Lang = "en"

    @model_validator(mode="after")
    def _room_for_a_second_try(self) -> SolveConfig:
        if self.deadline_s < self.time_limit_s + SPARE_S:
            raise ValueError(f"deadline_s must be at least {SPARE_S} more than time_limit_s, for a second try")
        return self


class LimitsConfig(Section):
    """[limits] The least share of the households and the beds of the last published run that a delivery must have. 0: any."""

    households: Annotated[float, Field(ge=0, le=1)] = 0.5
    beds: Annotated[float, Field(ge=0, le=1)] = 0.5


class DecisionsConfig(Section):
    """[decisions] expire_days: a proposal without an answer runs out so many days after it was first made. ending_days: who lives in
    an offer that ends within so many days is matched anew."""

    expire_days: Annotated[int, Field(ge=1)] = 7
    ending_days: Annotated[int, Field(ge=0)] = 30


class LogConfig(Section):
    """[log] file: JSON lines are added to it; `-` is standard error."""

    file: str = "nightly.jsonl"


class MetricsConfig(Section):
    """[metrics] textfile: written anew by every run, for Prometheus' node exporter; none: not written."""

    textfile: str | None = None


class HooksConfig(Section):
    """[hooks] Commands, as lists of words, no shell. timeout_s: after which one is killed."""

    on_success: Words = ()
    on_failure: Words = ()
    timeout_s: Annotated[float, Field(gt=0)] = 60.0


class NightlyConfig(Section):
    """The whole file. base: the folder it stands in; relative paths start there.

    history: path of an SQLite file, or a URL, or `env:NAME` for what an environment variable says. policy: else the delivery's own,
    else the defaults. time_zone: in which a service date begins and ends.
    """

    inbox: str
    outbox: str
    history: str = "history.sqlite"
    policy: str | None = None
    time_zone: str = "Europe/Kyiv"
    solve: SolveConfig = SolveConfig()
    limits: LimitsConfig = LimitsConfig()
    decisions: DecisionsConfig = DecisionsConfig()
    log: LogConfig = LogConfig()
    metrics: MetricsConfig = MetricsConfig()
    hooks: HooksConfig = HooksConfig()
    base: Path = Path()

    @model_validator(mode="after")
    def _known_zone(self) -> NightlyConfig:
        try:
            zoneinfo.ZoneInfo(self.time_zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"time_zone: this system knows no {self.time_zone!r}; examples: Europe/Kyiv, UTC") from None
        return self

    @model_validator(mode="after")
    def _apart(self) -> NightlyConfig:
        one, other = self.inbox_path.resolve(), self.outbox_path.resolve()
        if one == other or one in other.parents or other in one.parents:
            raise ValueError("inbox and outbox must be two folders, neither inside the other")
        return self

    def path(self, name: str) -> Path:
        """A path of the file, from where the file stands."""
        return (self.base / Path(name).expanduser()).absolute()

    @property
    def inbox_path(self) -> Path:
        """Folder of the deliveries."""
        return self.path(self.inbox)

    @property
    def outbox_path(self) -> Path:
        """Folder of the results."""
        return self.path(self.outbox)

    @property
    def history_address(self) -> str:
        """Path or URL of the history. Raises UsageError where the environment does not say it."""
        where = self.history
        if where.startswith(FROM_ENVIRONMENT):
            name = where.removeprefix(FROM_ENVIRONMENT)
            where = os.environ.get(name, "")
            if not where:
                raise UsageError(f"history: the environment variable {name} is not set")
        return where if "://" in where else str(self.path(where))

    def service_date(self, now: dt.datetime | None = None) -> dt.date:
        """The date in the service's own time zone, at an instant (default: now)."""
        return (now or dt.datetime.now(dt.UTC)).astimezone(zoneinfo.ZoneInfo(self.time_zone)).date()


def read_config(path: Path | str) -> NightlyConfig:
    """Read nightly.toml. Raises UsageError that names every key at fault."""
    path = Path(path)
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from None
    if "base" in data:
        raise UsageError(f"{path}: there is no key 'base'")
    try:
        return NightlyConfig.model_validate({**data, "base": path.absolute().parent})
    except ValidationError as error:
        raise UsageError("\n".join(f"{path}: {_sentence(item)}" for item in error.errors())) from None


def _sentence(item: Any) -> str:
    """What is wrong with one key; did they mean another one of that table?"""
    key = ".".join(map(str, item["loc"]))
    if item["type"] != "extra_forbidden":
        words = str(item["msg"]).removeprefix("Value error, ")
        return f"{key}: {words}" if key else words
    table: Any = NightlyConfig
    for part in item["loc"][:-1]:
        table = table.model_fields[str(part)].annotation
    names = [name for name in table.model_fields if name != "base"]
    near = difflib.get_close_matches(str(item["loc"][-1]), names, 1)
    return f"there is no key {key!r}" + (f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(names)}")

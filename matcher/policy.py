"""What is good (`Policy`, owned by the case office) and how hard to search (`SolveOptions`, owned by who runs it)."""

from __future__ import annotations

import datetime as dt
import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from matcher.doors import PATH, takes
from matcher.errors import Fault, InputError, UsageError
from matcher.i18n import Lang
from matcher.model import TieRelation

POLICY_FILE: Final = "policy.toml"
OBLASTS: Final = frozenset(
    "UA01 UA05 UA07 UA12 UA14 UA18 UA21 UA23 UA26 UA32 UA35 UA44 UA46 UA48 UA51 UA53 UA56 UA59 UA61 UA63 UA65 UA68 UA71 UA73 UA74 UA80 "
    "UA85".split()
)
"""P-codes of the regions of Ukraine."""


def _exact(value: object, info: ValidationInfo) -> object:
    """Numbers are what their decimal text says: a float stands for its shortest text. Text is a number only in the plain
    form that this program writes itself."""
    if isinstance(value, bool) or (isinstance(value, str) and not (info.context or {}).get("plain")):
        raise ValueError("must be a number")
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, int):
        return Decimal(value)
    return value


def _oblast_code(key: str) -> str:
    """A rating under a key that matches no oblast would protect nobody, so only P-codes (or other countries' codes) pass."""
    foreign = re.fullmatch(r"[A-Z]{2}-?[0-9A-Z]*[0-9][0-9A-Z]*|[A-Z]{2}-[A-Z]{1,3}", key) and not key.startswith("UA")
    if not foreign and key not in OBLASTS:
        raise ValueError(f"{key!r} is not the code of an oblast; the P-codes are {', '.join(sorted(OBLASTS))}")
    return key


def _words(shares: object) -> object:
    """Group words are compared without case, so two spellings of one word would contradict each other."""
    if not isinstance(shares, dict):
        return shares
    folded = {str(key).strip().casefold(): value for key, value in shares.items()}
    if len(folded) < len(shares):
        raise ValueError("the same group stands twice, in different spelling")
    return folded


Number = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, le=1_000_000_000, allow_inf_nan=False)]
Share = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, le=1, allow_inf_nan=False)]


class Section(BaseModel):
    """Base of the policy's tables: frozen, unknown keys are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _address(url: str) -> str:
    """A server's address and nothing else: what stands in a policy is published with every run, so no passwords."""
    found = urlsplit(url)
    if found.scheme not in ("http", "https") or not found.hostname or found.username or found.query or found.fragment:
        raise ValueError("is not the address of a server, such as http://127.0.0.1:5000")
    return url.rstrip("/")


PlacePair = Annotated[tuple[str, ...], Field(min_length=2, max_length=2)]


class TravelPolicy(Section):
    """[travel] closed: oblasts that no way leads into or through. blocked: roads that are closed, each between two places (`road` alone).
    osrm_url, osrm_profile: the server that `osrm` asks, and how it travels."""

    weight: Number = Decimal(1)
    model: Literal["great_circle", "road", "osrm"] = "great_circle"
    closed: tuple[Annotated[str, AfterValidator(_oblast_code)], ...] = ()
    blocked: tuple[PlacePair, ...] = ()
    osrm_url: Annotated[str, AfterValidator(_address)] | None = None
    osrm_profile: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")] = "driving"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """What one model alone understands must not stand idle under another."""
        if self.blocked and self.model != "road":
            raise ValueError('blocked roads need model = "road"; a pair of places can be blocked in travel.csv')
        if self.osrm_url is not None and self.model != "osrm":
            raise ValueError('osrm_url needs model = "osrm"')
        return self


class TiesPolicy(Section):
    """[ties]"""

    weight: Number = Decimal(3)
    cap_km: Number = Decimal(1000)
    relation_weight: dict[TieRelation, Number] = {}


class HomePolicy(Section):
    """[home]"""

    weight: Number = Decimal("0.1")
    cap_km: Number = Decimal(1000)


class UnplacedPolicy(Section):
    """[unplaced] km: for priority 1 to 5."""

    km: Annotated[tuple[Number, ...], Field(min_length=5, max_length=5)] = tuple(map(Decimal, (400000, 100000, 40000, 20000, 12000)))
    km_per_day_waited: Number = Decimal(2)


class WantsPolicy(Section):
    """[wants]"""

    km: Number = Decimal(50)


class RiskPolicy(Section):
    """[risk] area: risk of an oblast by its P-code."""

    km: Number = Decimal(3000)
    unknown: Share = Decimal("0.3")
    area: dict[Annotated[str, AfterValidator(_oblast_code)], Share] = {}


class ShortPolicy(Section):
    """[short]"""

    km: Number = Decimal(200)
    min_nights: Annotated[int, Field(ge=0, le=36500, strict=True)] = 90


class SparePolicy(Section):
    """[spare]"""

    km: Number = Decimal(10)


class MovePolicy(Section):
    """[move]"""

    km: Number = Decimal(100)


class RentPolicy(Section):
    """[rent]"""

    km_per_unit: Number = Decimal(0)


class FloorsPolicy(Section):
    """[floors] share: by group."""

    km: Number = Decimal(5000)
    share: Annotated[dict[str, Share], BeforeValidator(_words)] = {}


class RulesPolicy(Section):
    """[rules]"""

    room_rule: Literal["family", "separate"] = "family"
    require_vetted: Annotated[bool, Field(strict=True)] = True
    max_risk: Share = Decimal("0.6")


class Policy(Section):
    """What makes a plan good. Every default is MODEL.md's; see docs/model.md for the meaning of each weight."""

    order: Literal["weighted", "strict"] = "weighted"
    travel: TravelPolicy = TravelPolicy()
    ties: TiesPolicy = TiesPolicy()
    home: HomePolicy = HomePolicy()
    unplaced: UnplacedPolicy = UnplacedPolicy()
    wants: WantsPolicy = WantsPolicy()
    risk: RiskPolicy = RiskPolicy()
    short: ShortPolicy = ShortPolicy()
    spare: SparePolicy = SparePolicy()
    move: MovePolicy = MovePolicy()
    rent: RentPolicy = RentPolicy()
    floors: FloorsPolicy = FloorsPolicy()
    rules: RulesPolicy = RulesPolicy()
    _source: str = PrivateAttr(default="policy")

    @model_validator(mode="wrap")
    @classmethod
    def _checked(cls, data: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        """A policy, or InputError with every key at fault at once: one of this package's own errors, however the policy is made."""
        source = (info.context or {}).get("source", "policy")
        try:
            policy = handler(data)
        except ValidationError as error:
            raise InputError([_fault(source, item) for item in error.errors()]) from None
        if policy is not data:
            policy._source = source
        return policy

    def __eq__(self, other: object) -> bool:
        """The same rules and weights, wherever they come from."""
        return isinstance(other, Policy) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]  # it holds mappings

    @property
    def source(self) -> str:
        """Where it comes from, for messages: the name of its file; `policy` for one that was made in code."""
        return self._source

    def plain(self) -> dict[str, Any]:
        """The policy as plain JSON data; numbers as their decimal text, so that `policy_from_plain` gives it back exactly."""
        return self.model_dump(mode="json")


def policy_from_plain(data: Mapping[str, Any], source: str = POLICY_FILE, *, own: bool = True) -> Policy:
    """A checked policy from plain data. own: written by `Policy.plain`, with numbers as text.

    Raises InputError with every key at fault at once.
    """
    return Policy.model_validate(dict(data), context={"plain": own, "source": source})


@contextmanager
def naming(policy: Policy) -> Iterator[None]:
    """Faults of a policy that only show when it meets an instance name the file that it comes from."""
    try:
        yield
    except InputError as error:
        faults = [replace(fault, file=policy.source) if fault.file == POLICY_FILE else fault for fault in error.faults]
        raise InputError(faults, error.notices) from None


def _fault(source: str, item: Any) -> Fault:
    key = ".".join(str(part) for part in item["loc"])
    wrong_key = item["type"] == "extra_forbidden"
    text = _wrong_key(item["loc"]) if wrong_key else f"{key}: {_plain_words(item)}"
    return Fault(source, 0, key, "policy_key" if wrong_key else "policy_value", text)


def _wrong_key(location: tuple[int | str, ...]) -> str:
    """There is no such key; did they mean another one of that table?"""
    table: Any = Policy
    for part in location[:-1]:
        table = table.model_fields[str(part)].annotation
    near = difflib.get_close_matches(str(location[-1]), list(table.model_fields), 1)
    hint = f"; did you mean {near[0]!r}?" if near else "; see docs/model.md for all keys"
    return f"there is no key {'.'.join(map(str, location))!r} in a policy{hint}"


def _plain_words(item: Any) -> str:
    if item["type"] in ("too_short", "too_long"):
        return "needs two places" if "blocked" in item["loc"] else "needs five numbers, one for each priority from 1 to 5"
    return str(item["msg"]).removeprefix("Value error, ")


@takes(path=PATH)
def read_policy(path: Path | str) -> Policy:
    """Read a policy.toml. Raises InputError: not TOML, unknown keys, values out of range."""
    path = Path(path)
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8-sig"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError([Fault(path.name, 0, "", "policy_syntax", f"cannot be read as TOML: {error}")]) from None
    except OSError as error:
        raise InputError([Fault(path.name, 0, "", "file_missing", f"cannot be opened: {error.strerror}")]) from None
    return policy_from_plain(data, path.name, own=False)


class WarmStart(Section):
    """Prices and plan of an earlier run, to begin from.

    prices: by accommodation, resource and date ("" for every night), in 1/scale cost units, as in certificate.json. floors: by
    group. homes: accommodation and rooms of each placed household.
    """

    scale: Annotated[int, Field(ge=1)]
    prices: dict[str, dict[str, dict[str, int]]]
    floors: dict[str, int] = {}
    homes: dict[str, tuple[str, tuple[int, ...]]]


def usual_limit(households: int) -> float:
    """Seconds after which the clock stops a search where nobody has said another limit: the usual work takes less."""
    return max(300.0, 6.0 * households / 1000)


class SolveOptions(Section):
    """How hard to search, and for which day. `date` None means today.

    time_limit_s: safety net by the clock; a run that it cut says so. None: `usual_limit` of the households.
    effort: deterministic amount of work, 1.0 is the default stop. gap: stop when proved that near; large problems stop
    sooner where more work is not worth it (docs/cli.md). seed: settles equal cases (published lottery).
    isolate: run the strategy in a process of its own, so that a crash or a deaf solver cannot take the caller along.
    warm_start: begin from an earlier run; what is found then depends on it. lang: of the sentences that are written.
    deadline_s: seconds after which no search goes on, second tries included; None: the time limit and a few seconds. Needs `isolate`.
    memory_mib: memory that the search may take, in MiB; None: no limit. Needs `isolate`.
    fallback: where the search dies or the clock cuts it, and it has found nothing better, keep what stood already and fill up with
    what is cheapest (status `fallback`).
    """

    date: dt.date | None = None
    seed: int = 0
    strategy: str = "auto"
    time_limit_s: Annotated[float, Field(gt=0)] | None = None
    effort: Annotated[float, Field(gt=0)] = 1.0
    gap: Annotated[float, Field(ge=0)] = 0.0
    isolate: bool = False
    warm_start: WarmStart | None = Field(default=None, repr=False)
    lang: Lang = "en"
    deadline_s: Annotated[float, Field(gt=0)] | None = None
    memory_mib: Annotated[int, Field(ge=64)] | None = None
    fallback: bool = False

    @model_validator(mode="wrap")
    @classmethod
    def _checked(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Options, or UsageError with everything that is wrong with them."""
        try:
            return handler(data)
        except ValidationError as error:
            raise UsageError("; ".join(_option_fault(item) for item in error.errors())) from None


def _option_fault(item: Any) -> str:
    name = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"there is no option {name!r}; choices: {', '.join(SolveOptions.model_fields)}"
    return f"{name}: {_plain_words(item)}" if name else _plain_words(item)

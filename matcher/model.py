"""The rows of an instance as frozen models, after strict reading: what FORMAT.md says, with every default filled in.

Numbers with decimals are `Decimal`, exactly as written. Words of lists are lower-case. Places are resolved to a `Spot`.
`None` means "not given" and is never mixed up with 0 or "no".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import core_schema

from matcher.errors import Fault
from matcher.held import HeldRows
from matcher.measured import Measured

Kind = Literal["apartment", "house", "host_family", "collective_site", "dormitory", "hotel", "modular"]
KINDS: tuple[Kind, ...] = ("apartment", "house", "host_family", "collective_site", "dormitory", "hotel", "modular")
SHARED_BY_DEFAULT: frozenset[str] = frozenset({"collective_site", "dormitory", "hotel", "modular"})
Animal = Literal["dog", "cat", "other"]
Sex = Literal["f", "m", "x"]
MemberRelation = Literal["head", "partner", "child", "parent", "sibling", "other"]
TieRelation = Literal[
    "parent", "child", "spouse", "sibling", "grandparent", "grandchild", "relative", "friend", "carer", "work", "school", "treatment"
]
TieKind = Literal["near", "same_place", "same_site", "same_accommodation", "apart"]
OfferStatus = Literal["open", "planned", "closed"]
PlacementStatus = Literal["proposed", "accepted", "moved_in"]
Action = Literal["pin", "forbid", "hold"]
Consent = Literal["yes", "no", "unknown"]
NonNegative = Annotated[Decimal, Field(ge=0)]


class Row(BaseModel):
    """Base of all rows: frozen, no unknown fields, no coercion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Spot(Row):
    """A point that distances are measured from or to.

    lat, lon: WGS84 degrees. key: identity of the settlement ("katottg:UA…", "geonames:…") or of a row of places.csv
    ("place:ID"); None where only coordinates are known. name: for people. adm1: oblast P-code ("UA46"), or None.
    """

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    key: str | None = None
    name: str | None = None
    adm1: str | None = None


class Household(Row):
    """People who stay together."""

    household_id: str
    persons: Annotated[int, Field(ge=1, le=50)]
    spot: Spot
    origin: Spot | None = None
    max_rent: NonNegative | None = None
    priority: Annotated[int, Field(ge=1, le=5)] = 3
    waiting_since: date | None = None
    arrives: date | None = None
    leaves: date | None = None
    needs: frozenset[str] = frozenset()
    wants: frozenset[str] = frozenset()
    pets: frozenset[Animal] = frozenset()
    languages: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    max_km: NonNegative | None = None
    accepts: frozenset[Kind] = frozenset()
    avoids: frozenset[str] = frozenset()
    wants_return: bool = False
    protected: bool = False
    consent: Consent = "yes"


class Member(Row):
    """One person of a household; used to count rooms and adults only."""

    member_id: str
    household_id: str
    relation: MemberRelation | None = None
    sex: Sex | None = None
    age: Annotated[int, Field(ge=0, le=130)] | None = None


class Accommodation(Row):
    """An offer that is let as one. adm1: the oblast P-code of its place, else of its own `adm1` cell, else None."""

    accommodation_id: str
    site_id: str | None = None
    spot: Spot
    adm1: str | None = None
    kind: Kind = "apartment"
    capacity: Annotated[int, Field(ge=0, le=100_000)]
    shared: bool = False
    rooms: tuple[Annotated[int, Field(ge=1)], ...] | None = None
    features: frozenset[str] = frozenset()
    need_capacity: tuple[tuple[str, Annotated[int, Field(ge=0)]], ...] = ()
    pets: frozenset[Animal] = frozenset()
    languages: frozenset[str] = frozenset()
    min_persons: Annotated[int, Field(ge=0)] | None = None
    max_persons: Annotated[int, Field(ge=0)] | None = None
    groups_only: frozenset[str] = frozenset()
    available_from: date | None = None
    available_until: date | None = None
    vetted: bool | None = None
    risk: Annotated[Decimal, Field(ge=0, le=1)] | None = None
    cost_per_person_night: NonNegative | None = None
    status: OfferStatus = "open"


class Tie(Row):
    """What pulls a household to a place, an accommodation or another household: exactly one of the three targets is set."""

    household_id: str
    spot: Spot | None = None
    other_household_id: str | None = None
    accommodation_id: str | None = None
    relation: TieRelation | None = None
    kind: TieKind = "near"
    max_km: NonNegative | None = None
    required: bool = False
    agreed: bool = False
    weight: NonNegative = Decimal(1)

    @property
    def binds(self) -> bool:
        """A constraint rather than a cost: required, and between two households also agreed (not needed for `apart`)."""
        if not self.required:
            return False
        return self.other_household_id is None or self.kind == "apart" or self.agreed


class TravelRow(Row):
    """A known distance between two keyed spots, in this direction."""

    origin: Spot
    destination: Spot
    km: NonNegative | None = None
    minutes: NonNegative | None = None
    cost_per_person: NonNegative | None = None
    blocked: bool = False


class Place(Row):
    """A row of places.csv."""

    place_id: str
    name: str | None = None
    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    adm1: str | None = None


class Standing(Row):
    """A row of placements.csv as input: what stands already."""

    household_id: str
    accommodation_id: str
    status: PlacementStatus
    since: date | None = None
    rooms: tuple[Annotated[int, Field(ge=1)], ...] | None = None


class Override(Row):
    """What a person has decided. For pin and forbid exactly one of accommodation_id and spot is set; hold needs neither."""

    household_id: str
    accommodation_id: str | None = None
    spot: Spot | None = None
    action: Action
    reason: str | None = None
    decided_by: str | None = None
    decided_at: date | None = None
    expires_at: date | None = None


class SetAside(Row):
    """A quarantined row: its fault(s), and what could be read of it: its id; persons, priority and groups of a household.

    sheet: which of the format's files it is a row of, where the file's own name does not say it (a workbook, a mapped source).
    """

    file: str
    line: int
    sheet: str = ""
    id: str | None
    persons: int | None = None
    priority: int | None = None
    groups: frozenset[str] = frozenset()
    faults: tuple[Fault, ...]

    def is_of(self, sheet: str) -> bool:
        """Whether it is a row of this one of the format's files."""
        return (self.sheet or self.file.removesuffix(".csv")) == sheet


class Notice(Row):
    """Something a user should know that is not a fault: an unknown column, an expired override …

    message: in English. template, values: what it is made from, where it can be said in other languages.
    """

    file: str
    line: int
    code: str
    message: str
    template: str = Field(default="", exclude=True, repr=False)
    values: tuple[tuple[str, str], ...] = Field(default=(), exclude=True, repr=False)

    @classmethod
    def of(cls, file: str, code: str, template: str, **values: str) -> Notice:
        """A notice of no single row. template: its words, to be translated by whoever shows it."""
        said = template.format(**values)
        return cls(file=file, line=0, code=code, message=said, template=template, values=tuple(sorted(values.items())))

    def at(self, line: int) -> Notice:
        """The same of one line of the file."""
        return self.model_copy(update={"line": line})

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.code} {self.message}" if self.line else f"{self.file} {self.code} {self.message}"


class FileCount(Row):
    """Rows of one file: rows_in = accepted + quarantined, always."""

    file: str
    rows_in: int
    accepted: int
    quarantined: int


class _OrHeld:
    """Lets a field of a tuple of rows be rows held by column as well; these are taken as they are."""

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        (model,) = get_args(source)
        rows = handler.generate_schema(tuple[model, ...])  # type: ignore[valid-type]
        return core_schema.no_info_wrap_validator_function(
            lambda value, check: value if isinstance(value, HeldRows) and value.model is model else check(value),
            rows,
            serialization=core_schema.plain_serializer_function_ser_schema(tuple, return_schema=rows),
        )


R = TypeVar("R", bound=Row)
Rows = Annotated[Sequence[R], _OrHeld]
"""A tuple of rows, or rows held by column (matcher/held.py), which work like one."""


class Instance(Row):
    """Everything a run works on; rows in canonical order, so that the order in the files never matters.

    quarantine: faulty rows were to be set aside (they need not have been any).
    left_out: ids of accepted household rows that a quarantined row names (reason `quarantined`).
    closed: ids of offers that a quarantined row names; they are closed for this run.
    sha256: over the canonical rows.
    measured: ways that a routing server was asked for (`[travel] model = "osrm"`), once it was.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    households: Rows[Household]
    accommodations: Rows[Accommodation]
    members: Rows[Member] = ()
    ties: Rows[Tie] = ()
    travel: Rows[TravelRow] = ()
    places: Rows[Place] = ()
    standing: Rows[Standing] = ()
    overrides: Rows[Override] = ()
    quarantine: bool = False
    left_out: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()
    set_aside: tuple[SetAside, ...] = ()
    notices: tuple[Notice, ...] = ()
    counts: tuple[FileCount, ...] = ()
    sha256: str = ""
    measured: Measured | None = Field(default=None, repr=False)

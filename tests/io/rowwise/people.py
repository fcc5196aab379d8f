"""Rows of households.csv and members.csv."""

from __future__ import annotations

from typing import get_args

from matcher.io.cells import MOST_KM, MOST_MONEY, CellError, coded, iso_date, items, languages, whole, word, words, yes_no
from matcher.model import KINDS, Animal, Household, Member, MemberRelation, Row, Sex
from tests.io.rowwise.rows import RowReader

animals = coded(get_args(Animal))
_persons = whole(1, 50)
_priority = whole(1, 5)
_kinds = coded(KINDS)
_relation = word(get_args(MemberRelation))
_sex = word(get_args(Sex))
_age = whole(0, 130)


def yes_no_unknown(text: str) -> bool | None:
    """`unknown` is what an empty cell means; writing it out is no fault."""
    if text.casefold() == "unknown":
        return None
    try:
        return yes_no(text)
    except CellError as error:
        raise CellError(error.code, error.message + ", unknown") from error


def read_household(reader: RowReader) -> Row | None:
    """A row of households.csv."""
    reader.put_text("household_id", required=True)
    reader.put("persons", _persons, required=True)
    reader.put_spot(required=True)
    reader.put("origin", reader.spots.resolve)
    reader.put_number("max_rent", MOST_MONEY)
    reader.put("priority", _priority)
    reader.put("waiting_since", iso_date)
    arrives = reader.put("arrives", iso_date)
    leaves = reader.put("leaves", iso_date)
    if arrives is not None and leaves is not None and leaves <= arrives:
        reader.fault("leaves", "dates_reversed", f"leaves {leaves} is not later than arrives {arrives}")
    reader.put("needs", words)
    reader.put("wants", words)
    reader.put("pets", animals)
    reader.put("languages", languages)
    reader.put("groups", words)
    reader.put_number("max_km", MOST_KM)
    reader.put("accepts", _kinds)
    reader.put("avoids", lambda text: frozenset(reader.spots.oblast(item) for item in items(text)))
    reader.put("wants_return", yes_no)
    reader.put("protected", yes_no)
    if "consent" in reader.table.columns:
        consent = reader.parse("consent", yes_no_unknown)
        reader.values["consent"] = "unknown" if consent is None else "yes" if consent else "no"
    return reader.make(Household)


def read_member(reader: RowReader) -> Row | None:
    """A row of members.csv."""
    reader.put_text("member_id", required=True)
    reader.put_reference("household_id", "households", required=True)
    reader.put("relation", _relation)
    reader.put("sex", _sex)
    reader.put("age", _age)
    return reader.make(Member)

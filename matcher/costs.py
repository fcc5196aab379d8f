"""The terms of the objective (MODEL.md, second table): one function a term, in whole units of 1/10 person-km.

Distances come as whole tenths of a km. Every product is exact and is rounded once, half up. A term sees only the numbers
it needs, so that it can be tabulated over classes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from matcher.policy import Policy

YEAR = 365
UNITS_PER_KM = 10


@lru_cache(maxsize=4096)
def exact(number: Decimal) -> Fraction:
    """A number is what its decimal text says."""
    return Fraction(number)


def half_up(value: Fraction) -> int:
    """The nearest whole unit; halves go up. Values are never negative here."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


@dataclass(frozen=True)
class Pull:
    """One soft tie of a household to a spot, ready to be priced. weight: the row's weight · its relation's weight."""

    kind: str
    weight: Fraction
    max_km: Decimal | None = None


def pull_km10(kind: str, km10: int, kept: bool, policy: Policy) -> Fraction:
    """How far a soft tie pulls, in tenths of a km before weights: near: min(km, cap); others: the cap where not kept."""
    cap = UNITS_PER_KM * exact(policy.ties.cap_km)
    if kind == "near":
        return min(Fraction(km10), cap)
    return Fraction(0) if kept else cap


def travel(persons: int, km10: int, policy: Policy) -> int:
    """p · km(h, a) · travel.weight"""
    return half_up(persons * km10 * exact(policy.travel.weight))


def ties(persons: int, pulls: Iterable[tuple[Fraction, Fraction]], policy: Policy) -> int:
    """Σ p · weight · relation_weight · ties.weight · pull, at most p · cap_km · ties.weight in all.

    pulls: (weight · relation weight, pull in tenths of a km) of each soft tie to a place or an accommodation.
    """
    total = sum((weight * pull for weight, pull in pulls), Fraction(0))
    most = UNITS_PER_KM * exact(policy.ties.cap_km)
    return half_up(persons * min(total, most) * exact(policy.ties.weight))


def home(persons: int, km10: int, policy: Policy) -> int:
    """wants_return: p · min(km(origin, a), home.cap_km) · home.weight"""
    return half_up(persons * min(Fraction(km10), UNITS_PER_KM * exact(policy.home.cap_km)) * exact(policy.home.weight))


def wants(persons: int, unmet: int, policy: Policy) -> int:
    """p · wants.km for each unmet want"""
    return half_up(UNITS_PER_KM * persons * unmet * exact(policy.wants.km))


def risk(persons: int, rating: Decimal, policy: Policy) -> int:
    """p · risk · risk.km"""
    return half_up(UNITS_PER_KM * persons * exact(rating) * exact(policy.risk.km))


def short(persons: int, arrival: dt.date, end: dt.date | None, policy: Policy) -> int:
    """An open-ended stay in an offer that ends: p · short.km · (365 − nights)/365, nights within 0 to 365"""
    if end is None:
        return 0
    nights = min(max((end - arrival).days, 0), YEAR)
    return half_up(UNITS_PER_KM * persons * exact(policy.short.km) * Fraction(YEAR - nights, YEAR))


def spare(beds: int, policy: Policy) -> int:
    """spare.km for each bed left empty, never below 0"""
    return half_up(UNITS_PER_KM * max(0, beds) * exact(policy.spare.km))


def move(persons: int, policy: Policy) -> int:
    """A proposed placement that goes elsewhere: p · move.km"""
    return half_up(UNITS_PER_KM * persons * exact(policy.move.km))


def rent(persons: int, cost: Decimal | None, policy: Policy) -> int:
    """p · cost_per_person_night · 30 · rent.km_per_unit; an unknown cost counts nothing"""
    if cost is None:
        return 0
    return half_up(UNITS_PER_KM * persons * exact(cost) * 30 * exact(policy.rent.km_per_unit))


def unplaced(persons: int, priority: int, waiting_since: dt.date | None, date: dt.date, policy: Policy) -> int:
    """p · (unplaced.km[priority] + unplaced.km_per_day_waited · days waited, 0 to 365)"""
    days = 0 if waiting_since is None else min(max((date - waiting_since).days, 0), YEAR)
    per_person = exact(policy.unplaced.km[priority - 1]) + days * exact(policy.unplaced.km_per_day_waited)
    return half_up(UNITS_PER_KM * persons * per_person)


def link_amount(weight: Decimal, relation: str | None, persons_g: int, persons_h: int, policy: Policy) -> Fraction:
    """weight · relation_weight · ties.weight · (p_g + p_h)/2 of a soft tie between two households"""
    return tie_weight(weight, relation, policy) * exact(policy.ties.weight) * Fraction(persons_g + persons_h, 2)


def linked(amount: Fraction, pull: Fraction) -> int:
    """A soft tie between two placed households: amount · pull, rounded alone"""
    return half_up(amount * pull)


def tie_weight(weight: Decimal, relation: str | None, policy: Policy) -> Fraction:
    """The row's weight times the policy's weight of its relation (1 where none is set)."""
    factors = {str(name): value for name, value in policy.ties.relation_weight.items()}
    return exact(weight) * exact(factors.get(relation or "", Decimal(1)))


def floor_rate(policy: Policy) -> Fraction:
    """Cost units of one person missing under a floor, before rounding: floors.km."""
    return UNITS_PER_KM * exact(policy.floors.km)

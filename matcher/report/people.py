"""Households as rows of the page: only what may be told of each, as codes and numbers that any language can put into words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matcher.columns import codes
from matcher.explain import Explainer
from matcher.lookup import ById
from matcher.model import Accommodation, Household, Instance
from matcher.placed import Placements
from matcher.places.models import travel_for
from matcher.policy import Policy
from matcher.report.geography import Atlas
from matcher.report.offers import Offers
from matcher.report.why import Teller, Told
from matcher.result import TERMS, Alternative, PlacementRow, Result, UnplacedRow
from matcher.roles import assign_roles

MOST = 20_000
"""Households that a page lists, with their explanations. A larger run lists as many of those without a place, unexplained, and says
where the others stand."""
PLACED = (
    "id", "persons", "priority", "from", "offer", "status", "km10", "estimated", "minutes", "rooms", "terms", "tie_km10", "ties_kept",
    "alternatives", "changed_from", "ties", "others",
)  # fmt: skip
UNPLACED = ("id", "persons", "priority", "reason", "from", "waiting", "said", "funnel", "preferred", "remedy", "examined")


@dataclass(frozen=True)
class People:
    """Rows of the page. hidden: how many protected households have a place; their ids stand in placements_protected.csv alone.
    missing: (placed, unplaced) rows that are not listed."""

    placed: list[list[Any]]
    unplaced: list[list[Any]]
    hidden: int
    missing: tuple[int, int]


def people(result: Result, explainer: Explainer | None, atlas: Atlas, offers: Offers, households: ById[Household]) -> People:
    """All rows of a result. explainer: None for a run so large that not everybody is listed and nobody explained."""
    instance, policy, options = result.instance, result.policy, result.options
    assert instance is not None and policy is not None and options is not None and options.date is not None
    held = Placements.of(result.placements)
    hidden = int(held.protected.sum())
    open_ = held.take(~held.protected)
    listed = result.unplaced[:MOST]
    told = open_ if explainer is not None else open_.take(slice(0, 0))
    secret = assign_roles(instance, households, offers.known, options.date).protected
    teller = Teller(instance, atlas, offers, options.lang)
    why = {found.household_id: found for found in explainer.every()} if explainer is not None else {}
    out = [_unplaced(row, teller.of_unplaced(row, why.get(row.household_id)), households, atlas, secret, options.date) for row in listed]
    again = {} if result.worth is None else result.worth.again
    guessed = _estimated(instance, policy, told, households, offers.known)
    rows = [
        _placed(row, teller.told(why[row.household_id]), guess, households, atlas, offers, again.get(row.household_id, {}))
        for row, guess in zip(told, guessed, strict=True)
    ]
    return People(rows, out, hidden, (len(open_) - len(told), len(result.unplaced) - len(listed)))


def _placed(
    row: PlacementRow,
    told: Told,
    estimated: bool,
    households: ById[Household],
    atlas: Atlas,
    offers: Offers,
    again: Mapping[str, int],
) -> list[Any]:
    household = households[row.household_id]
    return [
        row.household_id,
        row.persons,
        household.priority,
        atlas.number(household.spot),
        offers.number(row.accommodation_id),
        row.status,
        row.km10,
        int(estimated),
        None if row.minutes is None else float(row.minutes),
        list(row.rooms),
        [[TERMS.index(term), value] for term, value in row.terms.terms.items() if value],
        row.tie_km10,
        row.ties_kept,
        [_alternative(other, again, offers) for other in row.alternatives],
        offers.number(row.changed_from) if row.changed_from else None,
        told.ties,
        told.others,
    ]


def _alternative(other: Alternative, again: Mapping[str, int], offers: Offers) -> list[Any]:
    """[offer, added cost], and what it would cost if others may move too, where that is known."""
    row = [offers.number(other.accommodation_id), other.added_cost]
    return [*row, again[other.accommodation_id]] if other.accommodation_id in again else row


def _unplaced(row: UnplacedRow, why: Told, households: ById[Household], atlas: Atlas, secret: frozenset[str], date: dt.date) -> list[Any]:
    known = households.get(row.household_id)
    told = known if known is not None and row.household_id not in secret else None
    waiting = None if told is None or told.waiting_since is None else max(0, (date - told.waiting_since).days)
    start = None if told is None else atlas.number(told.spot)
    return [
        row.household_id,
        row.persons,
        row.priority,
        row.reason,
        start,
        waiting,
        why.said,
        why.funnel,
        why.preferred,
        why.remedy,
        int(why.examined),
    ]


def _estimated(
    instance: Instance, policy: Policy, told: Placements, households: ById[Household], offers: ById[Accommodation]
) -> Sequence[bool]:
    """Whether each journey is estimated, as no row of travel.csv has it."""

    travel = travel_for(instance, policy)
    start, starts = codes(instance.households, "spot")
    end, ends = codes(instance.accommodations, "spot")
    if not len(told):
        return []
    row, home = households.positions(told.household_ids), offers.positions(told.offers)[told.offer]
    known: list[bool] = (~travel.known_km(starts, ends, start[row], end[home])).tolist()
    return known

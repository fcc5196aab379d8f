"""A section of a problem: some of its parties and some of its offers as a problem of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.layers import Exceptions, Ints, Layer, Table
from matcher.parts import Floor, Link, Parties, Resource
from matcher.problem import Problem

PORTION = 50_000
"""Parties that are laid out together where they are taken a portion at a time."""


@dataclass(frozen=True)
class Section:
    """problem: positions of its own. parties, offers, resources: which of the whole these are, each ascending."""

    problem: Problem
    parties: Ints
    offers: Ints
    resources: Ints


def section_of(problem: Problem, parties: Ints, offers: Ints, links: Sequence[Link]) -> Section:
    """The parties and offers (positions, ascending) as a problem of their own; costs of fixed placements stay with the whole.

    links: those whose two parties are both among these; the others are not known here. A floor wants as large a share of its persons
    here as it wants of all.
    """
    whole = Parties.of(problem.parties)
    sizes = np.diff(whole.start)[parties]
    start = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])
    member = whole.member[np.repeat(whole.start[parties] - start[:-1], sizes) + np.arange(start[-1])]
    households, number = np.unique(member, return_inverse=True)
    resources = np.array([r for a in offers.tolist() for r in problem.resources_of[a]], dtype=np.int64)
    resources.sort()
    rows, resources_of = _resources(problem, offers, resources)
    here = np.full(len(whole), -1, dtype=np.int64)
    here[parties] = np.arange(len(parties))
    places, place = np.unique(problem.place[offers], return_inverse=True)
    lottery = np.asarray(problem.lottery, dtype=np.int64)
    listed = parties.tolist()
    part = replace(
        problem,
        parties=Parties(number.astype(np.int64), start),
        persons=problem.persons[households],
        rules=tuple(_layer(layer, households, offers) for layer in problem.rules),
        terms=tuple(_layer(layer, households, offers) for layer in problem.terms),
        unplaced_cost=problem.unplaced_cost[households],
        unplaced_stage=problem.unplaced_stage[households],
        must=problem.must[parties],
        barred=problem.barred[parties],
        arrival=problem.arrival[households],
        leaves=problem.leaves[households],
        offers=len(offers),
        sizes=tuple(problem.sizes[a] for a in offers.tolist()),
        room_need=problem.room_need[parties],
        resources=rows,
        resources_of=tuple(resources_of),
        has_need=problem.has_need[households],
        place=place.astype(problem.place.dtype),
        site=np.unique(problem.site[offers], return_inverse=True)[1].astype(problem.site.dtype),
        km10=_between(problem.km10, places if links else places[:0]),
        same_place=_between(problem.same_place, places if links else places[:0]),
        links=tuple(replace(link, first=int(here[link.first]), second=int(here[link.second])) for link in links),
        party_cost={int(here[q]): problem.party_cost[q][offers] for q in listed if q in problem.party_cost} if problem.party_cost else {},
        floors=tuple(_floor(floor, households, problem.persons) for floor in problem.floors),
        fixed_cost=(0,) * len(problem.stages),
        lottery=tuple(lottery[households].tolist()) if len(lottery) else (),
        private=frozenset(int(here[q]) for q in problem.private.intersection(listed)),
        in_use=None if problem.in_use is None else problem.in_use[np.ix_(households, offers)],
    )
    return Section(part, parties, offers, resources)


def portions(problem: Problem, parties: Ints) -> Iterator[tuple[Ints, Problem]]:
    """(which, they and all offers as a problem, links left out) of some parties, a portion at a time: all of a country laid out as arrays
    together would take much memory."""
    offers = np.arange(problem.offers)
    if len(parties):
        for some in np.array_split(parties, -(-len(parties) // PORTION)):
            yield some, section_of(problem, some, offers, ()).problem


def _resources(problem: Problem, offers: Ints, resources: Ints) -> tuple[tuple[Resource, ...], Sequence[tuple[int, ...]]]:
    if len(offers) == problem.offers:
        return problem.resources, problem.resources_of
    at = {a: i for i, a in enumerate(offers.tolist())}
    rows: list[Resource] = []
    of: list[list[int]] = [[] for _ in at]
    for i, r in enumerate(resources.tolist()):
        row = problem.resources[r]
        rows.append(Resource(at[row.offer], row.kind, row.size, row.date, row.capacity))
        of[at[row.offer]].append(i)
    return tuple(rows), tuple(tuple(one) for one in of)


def _between(matrix: NDArray[Any], places: Ints) -> NDArray[Any]:
    """What there is between places."""
    return matrix[np.ix_(places, places)] if matrix.size else matrix


def _layer(layer: Layer, households: Ints, offers: Ints) -> Layer:
    """The rows and columns that are used, and no others."""
    if isinstance(layer, Table):
        used, row = np.unique(layer.row[households], return_inverse=True)
        seen, column = np.unique(layer.column[offers], return_inverse=True)
        return Table(layer.name, row.ravel(), column.ravel(), layer.value[np.ix_(used, seen)])
    return _exceptions(layer, households, offers)


def _exceptions(layer: Exceptions, households: Ints, offers: Ints) -> Exceptions:
    of = layer.row[households]
    used = np.unique(of[of >= 0])
    row = np.where(of >= 0, np.searchsorted(used, of), -1)
    lengths = np.diff(layer.start)[used]
    start = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    entries = np.repeat(layer.start[used] - start[:-1], lengths) + np.arange(start[-1])
    owner = np.repeat(np.arange(len(used)), lengths)
    offer = layer.offers[entries]
    at = np.minimum(np.searchsorted(offers, offer), max(0, len(offers) - 1))
    known = offers[at] == offer if len(offers) else np.zeros(len(offer), dtype=np.bool_)
    counts = np.bincount(owner[known], minlength=len(used)).astype(np.int64)
    return Exceptions(
        layer.name, row, layer.default[used], np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)]),
        at[known].astype(np.int64), layer.value[entries][known], layer.neutral,
    )  # fmt: skip


def _floor(floor: Floor, households: Ints, persons: Ints) -> Floor:
    concerned = np.intersect1d(floor.households, households)
    here, free = int(persons[concerned].sum()), int(persons[floor.households].sum())
    share = -(-max(0, floor.wanted - floor.fixed) * here // free) if free else 0
    return replace(floor, wanted=min(share, here), persons=here, fixed=0, households=np.searchsorted(households, concerned))


__all__ = ["Section", "portions", "section_of"]

"""Rooms against brute force: how many are needed, and which sets count."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest

from matcher.check.rooms import is_minimal, largest_matching, minimal_sets, rooms_needed
from tests.check.build import member


def test_minimal_sets_against_all_subsets() -> None:
    rng = random.Random(1)
    cases = found = 0
    for _ in range(400):
        rooms = tuple(rng.choices((1, 2, 3, 4, 6), k=rng.randint(0, 7)))
        persons, least = rng.randint(1, 9), rng.randint(1, 4)

        def holds(taken: Sequence[int], persons: int = persons, least: int = least) -> bool:
            return sum(taken) >= persons and len(taken) >= least

        expected = set()
        for n in range(1, len(rooms) + 1):
            for taken in itertools.combinations(rooms, n):
                if holds(taken) and not any(holds(taken[:k] + taken[k + 1 :]) for k in range(n)):
                    expected.add(tuple(sorted(taken)))
                assert is_minimal(taken, persons, least) == (tuple(sorted(taken)) in expected)
        assert set(minimal_sets(rooms, persons, least)) == expected
        assert len(minimal_sets(rooms, persons, least)) == len(expected)
        cases += 1
        found += len(expected)
    assert cases == 400 and found > 500


def test_sets_of_the_spec() -> None:
    assert minimal_sets((2, 2, 4), 3, 1) == ((2, 2), (4,))


def test_matching_against_brute_force() -> None:
    def best(edges: list[tuple[int, int]]) -> int:
        if not edges:
            return 0
        (a, b), rest = edges[0], edges[1:]
        return max(best(rest), 1 + best([e for e in rest if not {a, b} & set(e)]))

    rng = random.Random(2)
    cases = odd = 0
    for _ in range(600):
        n = rng.randint(1, 9)
        edges = [e for e in itertools.combinations(range(n), 2) if rng.random() < rng.choice((0.2, 0.35, 0.5))][:16]
        friends = [[b if a == v else a for a, b in edges if v in (a, b)] for v in range(n)]
        assert largest_matching(friends) == best(edges)
        cases += 1
        odd += len(edges) > n
    assert cases == 600 and odd > 100


def test_matching_shrinks_flowers() -> None:
    # a triangle between two stems: only through the blossom are all six matched
    edges = [(0, 1), (1, 2), (2, 3), (3, 1), (3, 4), (4, 5)]
    friends = [[b if a == v else a for a, b in edges if v in (a, b)] for v in range(6)]
    assert largest_matching(friends) == 3


# people, rooms needed
FAMILIES: list[tuple[str, int]] = [
    ("head partner", 1),
    ("head other", 2),
    ("head:40 child:9", 1),
    ("head:40 child:10", 2),
    ("head:40 child", 2),
    ("head child:9:f child:5:m", 2),
    ("head:40 partner:40 child:16:f child:12:f", 2),
    ("head:40 partner:40 child:16:f child:12:m", 3),
    ("head:40 partner:40 child:16 child:12", 3),
    ("head:40 partner:40 child:18:f child:12:f", 3),
    ("head:17:f sibling:12:f", 1),
    ("head:17:f sibling:12:m", 2),
    ("sibling:17:m sibling:12:m head:30", 2),
    ("parent:60 head:9", 1),
    ("parent:60 sibling:9 head:20", 2),
    ("parent:60 child:9", 2),
    ("head:30 partner:30 parent:60 child:3 child:4 child:5", 4),
    ("head:30 parent:60 child:3 child:12", 3),
    ("child:17:x child:3:x", 1),
]


@pytest.mark.parametrize(("people", "needed"), FAMILIES)
def test_rooms_needed(people: str, needed: int) -> None:
    members = []
    for n, text in enumerate(people.split()):
        relation, age, sex = (*text.split(":"), "", "")[:3]
        members.append(member(f"M{n}", "H", relation, int(age) if age else None, sex or None))
    assert rooms_needed(members, len(members)) == needed


def test_who_is_not_listed_needs_a_room_each() -> None:
    assert rooms_needed([], 5) == 5
    assert len(FAMILIES) >= 19

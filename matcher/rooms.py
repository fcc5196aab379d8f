"""Rooms: how many a household needs, and which sets of an offer's rooms can hold a party (MODEL.md, Rooms)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from matcher.model import Member

YOUNG = 10
MINOR = 18


def may_share(a: Member, b: Member) -> bool:
    """Under `separate`: may these two persons of one household be alone together in a room? Unknown age or sex: no."""
    relations = {a.relation, b.relation}
    if relations == {"head", "partner"}:
        return True
    if _is_parent_of(a, b) or _is_parent_of(b, a):
        return True
    if not _are_siblings(a, b) or a.age is None or b.age is None:
        return False
    if a.age < YOUNG and b.age < YOUNG:
        return True
    return a.age < MINOR and b.age < MINOR and a.sex is not None and a.sex == b.sex


def _is_parent_of(a: Member, b: Member) -> bool:
    """A parent and an own child under 10. Parents of the head are parents of the head's siblings too."""
    if b.age is None or b.age >= YOUNG:
        return False
    if a.relation in ("head", "partner"):
        return b.relation == "child"
    return a.relation == "parent" and b.relation in ("head", "sibling")


def _are_siblings(a: Member, b: Member) -> bool:
    if a.relation == b.relation == "child":
        return True
    return {a.relation, b.relation} <= {"head", "sibling"} and "sibling" in (a.relation, b.relation)


def rooms_needed(members: Sequence[Member]) -> int:
    """Fewest rooms such that nobody shares with somebody they must not: persons minus the most pairs that may share."""
    friends = [[j for j, b in enumerate(members) if j != i and may_share(a, b)] for i, a in enumerate(members)]
    matching = _Matching(friends)
    return len(members) - matching.pairs()


class _Matching:
    """Maximum matching in a small general graph by augmenting paths with contracted odd cycles (Edmonds, Paths, trees,
    and flowers, 1965; the breadth-first form, O(n³), n ≤ 50 here).

    friends: for each vertex its neighbours.
    """

    def __init__(self, friends: list[list[int]]) -> None:
        self.friends = friends
        self.mate = [-1] * len(friends)

    def pairs(self) -> int:
        """Number of pairs in a maximum matching."""
        return sum(self.mate[v] == -1 and self._augment(v) for v in range(len(self.friends)))

    def _augment(self, root: int) -> bool:
        n = len(self.friends)
        self.parent, self.base = [-1] * n, list(range(n))
        outer, queue = {root}, [root]
        for v in queue:  # grows while we walk it
            for w in self.friends[v]:
                if self.base[v] == self.base[w] or self.mate[v] == w:
                    continue
                if w == root or (self.mate[w] != -1 and self.parent[self.mate[w]] != -1):
                    queue.extend(self._contract(v, w, outer))
                elif self.parent[w] == -1:
                    self.parent[w] = v
                    if self.mate[w] == -1:
                        self._flip(w)
                        return True
                    outer.add(self.mate[w])
                    queue.append(self.mate[w])
        return False

    def _contract(self, v: int, w: int, outer: set[int]) -> list[int]:
        """Shrink the odd cycle closed by edge (v, w) into its base; returns the vertices that became outer."""
        stem = self._common_base(v, w)
        cycle: set[int] = set()
        self._mark(v, stem, w, cycle)
        self._mark(w, stem, v, cycle)
        fresh = []
        for u in range(len(self.base)):
            if self.base[u] in cycle:
                self.base[u] = stem
                if u not in outer:
                    outer.add(u)
                    fresh.append(u)
        return fresh

    def _common_base(self, a: int, b: int) -> int:
        seen = set()
        while True:
            a = self.base[a]
            seen.add(a)
            if self.mate[a] == -1:
                break
            a = self.parent[self.mate[a]]
        b = self.base[b]
        while b not in seen:
            b = self.base[self.parent[self.mate[b]]]
        return b

    def _mark(self, v: int, stem: int, child: int, cycle: set[int]) -> None:
        while self.base[v] != stem:
            cycle |= {self.base[v], self.base[self.mate[v]]}
            self.parent[v] = child
            child = self.mate[v]
            v = self.parent[self.mate[v]]

    def _flip(self, v: int) -> None:
        while v != -1:
            before = self.parent[v]
            after = self.mate[before]
            self.mate[v], self.mate[before] = before, v
            v = after


def can_hold(rooms: Sequence[int], beds: int, count: int) -> bool:
    """Is there a set with at least `beds` beds and `count` rooms? Then there is a minimal one: leave rooms away while one can."""
    return sum(rooms) >= beds and len(rooms) >= count


def room_sets(rooms: Sequence[int], beds: int, count: int) -> Sequence[tuple[int, ...]]:
    """All minimal sets of rooms with at least `beds` beds and `count` rooms, each as ascending sizes; no two of equal sizes.

    Minimal: no room can be left away. Sorted by beds, then number of rooms, then sizes.
    """
    return _room_sets(tuple(sorted(rooms, reverse=True)), beds, count)


@lru_cache(maxsize=1 << 17)  # a country has 70,000 kinds of offers and claims on them, looked at in several rounds
def _room_sets(rooms: tuple[int, ...], beds: int, count: int) -> tuple[tuple[int, ...], ...]:
    """Grow sets by one room at a time, sizes descending, so that the last room is the smallest: a set is complete as soon as
    it suffices, and minimal if it does not suffice without that last room, which the way it grew makes sure of."""
    if not can_hold(rooms, beds, count):
        return ()
    sizes = sorted(Counter(rooms).items(), reverse=True)
    # Beds and rooms that sizes from this position on can still add: what cannot suffice any more is not grown.
    rest = [(sum(s * n for s, n in sizes[i:]), sum(n for _, n in sizes[i:])) for i in range(len(sizes) + 1)]
    found: list[tuple[int, ...]] = []
    stack: list[tuple[int, tuple[int, ...], int]] = [(0, (), 0)]
    while stack:
        position, taken, total = stack.pop()
        if position == len(sizes) or total + rest[position][0] < beds or len(taken) + rest[position][1] < count:
            continue
        size, available = sizes[position]
        stack.append((position + 1, taken, total))
        for n in range(1, available + 1):
            grown, sum_of = (*taken, *[size] * n), total + size * n
            if sum_of >= beds and len(grown) >= count:
                found.append(tuple(sorted(grown)))
                break
            stack.append((position + 1, grown, sum_of))
    return tuple(sorted(found, key=lambda s: (sum(s), len(s), s)))

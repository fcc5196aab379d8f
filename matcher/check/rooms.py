"""Rooms: how many people need who may not share, and which sets of rooms count (MODEL.md, Rooms)."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from functools import lru_cache

from matcher.model import Member

CHILD_SHARES_BELOW = 10
SIBLING_SHARES_BELOW = 18


@lru_cache(maxsize=4096)
def minimal_sets(rooms: tuple[int, ...], persons: int, least_rooms: int) -> tuple[tuple[int, ...], ...]:
    """All sets of rooms that hold `persons` in at least `least_rooms` rooms and of which none can be left away.

    Sizes ascending; sets of equal sizes are one set. Taken from the largest room down, a set is minimal exactly when it
    is complete with its last, smallest room and not before.
    """
    count = Counter(rooms)
    sizes = sorted(count, reverse=True)

    def grow(index: int, beds: int, taken: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        for position in range(index, len(sizes)):
            size = sizes[position]
            for number in range(1, count[size] + 1):
                now = taken + (size,) * number
                if beds + size * number >= persons and len(now) >= least_rooms:
                    yield now[::-1]
                    break
                yield from grow(position + 1, beds + size * number, now)

    return tuple(sorted(set(grow(0, 0, ()))))


def is_minimal(taken: Sequence[int], persons: int, least_rooms: int) -> bool:
    """Whether the rooms hold `persons` in at least `least_rooms` rooms, and without the smallest no longer would."""
    beds, number = sum(taken), len(taken)
    if beds < persons or number < least_rooms:
        return False
    return beds - min(taken) < persons or number - 1 < least_rooms


def rooms_needed(members: Sequence[Member], persons: int) -> int:
    """The fewest rooms with at most two people each who may share: persons less the largest matching."""
    friends = [[j for j, other in enumerate(members) if j != i and may_share(one, other)] for i, one in enumerate(members)]
    return persons - largest_matching(friends)


def may_share(one: Member, other: Member) -> bool:
    """Whether the two may sleep in one room under `room_rule = "separate"`. Unknown age or sex never allows it."""
    relations = {one.relation, other.relation}
    if relations == {"head", "partner"}:
        return True
    if is_parent(one, other):
        return other.age is not None and other.age < CHILD_SHARES_BELOW
    if is_parent(other, one):
        return one.age is not None and one.age < CHILD_SHARES_BELOW
    if relations in ({"child"}, {"sibling"}, {"sibling", "head"}):
        if one.age is None or other.age is None:
            return False
        older = max(one.age, other.age)
        return older < CHILD_SHARES_BELOW or (older < SIBLING_SHARES_BELOW and one.sex is not None and one.sex == other.sex)
    return False


def is_parent(one: Member, other: Member) -> bool:
    """Head and partner are parents of `child` rows; `parent` rows of the head and of `sibling` rows."""
    if other.relation == "child":
        return one.relation in ("head", "partner")
    return one.relation == "parent" and other.relation in ("head", "sibling")


def largest_matching(friends: Sequence[Sequence[int]]) -> int:
    """Pairs in a largest matching of a graph given by its lists of neighbours (Edmonds, Paths, trees, and flowers, 1965)."""
    match: list[int | None] = [None] * len(friends)
    for start in range(len(friends)):
        if match[start] is None:
            _augment(friends, match, start)
    return sum(mate is not None for mate in match) // 2


def _augment(friends: Sequence[Sequence[int]], match: list[int | None], start: int) -> None:
    """Search an augmenting path from `start`, breadth first with blossoms shrunk to their base; turn it if there is one."""
    base = list(range(len(friends)))
    parent: list[int | None] = [None] * len(friends)
    outer = {start}
    queue = deque([start])
    while queue:
        v = queue.popleft()
        for w in friends[v]:
            if base[v] == base[w] or match[v] == w:
                continue
            mate = match[w]
            if w == start or (mate is not None and parent[mate] is not None):
                root = _common_base(base, match, parent, v, w)
                blossom = _mark(base, match, parent, v, root, w) | _mark(base, match, parent, w, root, v)
                for u in range(len(friends)):
                    if base[u] in blossom:
                        base[u] = root
                        if u not in outer:
                            outer.add(u)
                            queue.append(u)
            elif parent[w] is None:
                parent[w] = v
                if mate is None:
                    _turn(match, parent, w)
                    return
                outer.add(mate)
                queue.append(mate)


def _common_base(base: list[int], match: list[int | None], parent: list[int | None], v: int, w: int) -> int:
    """The nearest blossom base on both ways to the root."""
    seen: set[int] = set()
    step: int | None = v
    while step is not None:
        step = base[step]
        seen.add(step)
        mate = match[step]
        step = None if mate is None else parent[mate]
    step = base[w]
    while step not in seen:
        mate = match[step]
        assert mate is not None
        above = parent[mate]
        assert above is not None
        step = base[above]
    return step


def _mark(base: list[int], match: list[int | None], parent: list[int | None], v: int, root: int, child: int) -> set[int]:
    """Bases on the way from v to the root of the blossom; sets the parents that lead around it."""
    blossom: set[int] = set()
    while base[v] != root:
        mate = match[v]
        assert mate is not None
        blossom |= {base[v], base[mate]}
        parent[v] = child
        child = mate
        above = parent[mate]
        assert above is not None
        v = above
    return blossom


def _turn(match: list[int | None], parent: list[int | None], end: int) -> None:
    """Turn the augmenting path that ends in `end`: what was matched is free and the other way round."""
    step: int | None = end
    while step is not None:
        before = parent[step]
        assert before is not None
        onward = match[before]
        match[step], match[before] = before, step
        step = onward

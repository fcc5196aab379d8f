"""A plan in which every promise holds: who breaks a link that binds is taken out, with all who are bound to them."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from matcher.problem import BLOCKED
from matcher.strategies.prices.field import Field
from matcher.strategies.prices.house import OUT, Standing


def keep_promises(field: Field, standing: Standing) -> Standing:
    """The same standing plan without the parties whose binding links it breaks. Taking parties out can only make room."""
    problem = field.problem
    binding = [link for link in problem.links if link.binds]
    if not binding:
        return standing
    offer, chosen = standing.offer.copy(), standing.set.copy()
    bound: dict[int, list[int]] = defaultdict(list)
    for link in binding:
        if link.both_or_neither:
            bound[link.first].append(link.second)
            bound[link.second].append(link.first)

    def take_out(q: int) -> None:
        queue = [q]
        for p in queue:
            if offer[p] != OUT or p == q:
                offer[p], chosen[p] = OUT, -1
                queue += [other for other in bound[p] if offer[other] != OUT]

    for link in binding:
        a, b = int(offer[link.first]), int(offer[link.second])
        if a == OUT and b == OUT:
            continue
        if a == OUT or b == OUT:
            if link.both_or_neither:
                take_out(link.first if b == OUT else link.second)
            continue
        if problem.link_matrix(link, np.array([a]), np.array([b]))[0, 0] >= BLOCKED:
            # Of a pair that must be kept apart the one with more to lose stays; others are bound to each other anyway.
            first_pinned = bool(problem.must[link.first])
            take_out(link.second if first_pinned else link.first)
    return Standing(offer, chosen)

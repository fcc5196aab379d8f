"""Groups of positions that pairs join (union-find), up to a size."""

from __future__ import annotations

from matcher.pricing.kernels import jit


@jit
def _find(root, v):
    while root[v] != v:
        root[v] = root[root[v]]
        v = root[v]
    return v


@jit
def join_nodes(first, second, most, size, root):
    """Join nodes by pairs in the given order while no group holds more than `most`; size: of each group at its root, in place.

    root: of every node at the end, in place.
    """
    for i in range(len(first)):
        a, b = _find(root, first[i]), _find(root, second[i])
        if a != b and size[a] + size[b] <= most:
            if a < b:  # the last position stands for the group
                a, b = b, a
            root[b] = a
            size[a] += size[b]
    for v in range(len(root)):
        root[v] = _find(root, v)

"""Which prompts begin alike, so that the common beginning is computed once. Pure functions on lists of tokens.

Sorted prompts that begin alike stand together, and the lengths that neighbours share form a tree: each node is a run
of prompts with a common prefix, its children longer ones. Going up from the leaves, every child either joins its
parent's group or keeps its own groups, whichever saves more tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

Tokens = Sequence[int]


@dataclass(frozen=True, slots=True)
class PrefixGroup:
    """Prompts that begin alike."""

    length: int
    """Tokens that all of them share; 0 for the prompts that share with none."""
    members: tuple[int, ...]
    """Their positions."""


@dataclass(slots=True)
class _Node:
    """A run of sorted prompts that share ``length`` tokens, and the best grouping found within it."""

    length: int
    size: int = 0
    saved: int = 0
    groups: list[PrefixGroup] = field(default_factory=list)
    loose: list[int] = field(default_factory=list)
    """In no group of this node."""
    children: "list[_Node]" = field(default_factory=list)


def shared_length(first: Tokens, second: Tokens) -> int:
    """How many tokens two prompts share at their beginning."""
    n = min(len(first), len(second))
    if first[:n] == second[:n]:
        return n
    low, high = 0, n  # the first `low` are equal, the first `high` are not; comparing slices beats a loop
    while high - low > 1:
        middle = (low + high) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle
    return low


def prefix_groups(prompts: Sequence[Tokens], *, shortest: int) -> list[PrefixGroup]:
    """Divide prompts into groups that begin alike.

    The last token of a prompt is never part of its prefix: something must be left to ask.

    Args:
        prompts: Tokens of each; none is empty.
        shortest: A common beginning counts if it has at least this many tokens.

    Returns:
        Every position once. Groups come in the order of their tokens, so that neighbours share much; the prompts that
        share with none are last.
    """
    if not prompts:
        return []
    order = sorted(range(len(prompts)), key=lambda position: list(prompts[position]))
    root = _tree(prompts, order, shortest=shortest)
    rank = {position: at for at, position in enumerate(order)}
    groups = sorted(root.groups, key=lambda group: rank[group.members[0]])
    return [*groups, PrefixGroup(0, tuple(root.loose))] if root.loose else groups


def _tree(prompts: Sequence[Tokens], order: Sequence[int], *, shortest: int) -> _Node:
    """Build the tree from left to right; a node is settled as soon as its run of prompts has ended."""
    path = [_Node(0)]
    for at, position in enumerate(order):
        leaf = _Node(len(prompts[position]), size=1, loose=[position])
        shared = _usable(prompts[position], prompts[order[at + 1]]) if at + 1 < len(order) else 0
        below = leaf
        while path[-1].length > shared:
            path[-1].children.append(below)
            below = _settled(path.pop(), shortest=shortest)
        if path[-1].length < shared:
            path.append(_Node(shared))
        path[-1].children.append(below)
    return _settled(path[0], shortest=shortest)


def _usable(first: Tokens, second: Tokens) -> int:
    return min(shared_length(first, second), len(first) - 1, len(second) - 1)


def _settled(node: _Node, *, shortest: int) -> _Node:
    """Choose for every child: into this node's group, or on its own terms."""
    length = node.length if node.length >= shortest else 0
    joined: list[int] = []
    for child in node.children:
        node.size += child.size
        if child.size * length >= child.saved + len(child.loose) * length:
            joined += [position for group in child.groups for position in group.members] + child.loose
            node.saved += child.size * length
        else:
            joined += child.loose
            node.groups += child.groups
            node.saved += child.saved + len(child.loose) * length
    node.children = []
    if length and len(joined) > 1:
        node.groups.append(PrefixGroup(length, tuple(joined)))
        node.saved -= length
    else:
        node.saved -= len(joined) * length
        node.loose = joined
    return node

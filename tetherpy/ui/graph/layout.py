"""A layered layout (Sugiyama): each node is in a column to the right of its dependencies."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from itertools import pairwise

import attrs

from .errors import GraphTooLargeError

_MOST_SLOTS = 20_000
"""Maximum number of columns that all edges together may cross: about a second of work."""

_SWEEPS = 8
"""Number of passes that reorder the columns, alternately from the left and from the right."""


@attrs.define(eq=False)
class Slot:
    """A position in a column, of a node or of an edge that crosses the column."""

    node: str | None
    column: int
    left: list[Slot] = attrs.field(factory=list["Slot"], repr=False)
    right: list[Slot] = attrs.field(factory=list["Slot"], repr=False)
    row: float = 0.0


@attrs.frozen
class Layout:
    """The columns from left to right, and for each edge its slots from source to user."""

    columns: list[list[Slot]]
    routes: dict[tuple[str, str], list[Slot]]


def lay_out(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> Layout:
    """Place nodes and edges ``(source, user)`` so that arrows lead to the right and cross seldom.

    An edge that closes a cycle leads back to the left.

    Raises:
        GraphTooLargeError: the edges cross too many columns.
    """
    names = list(nodes)
    pairs = [pair for pair in dict.fromkeys(edges) if pair[0] != pair[1]]
    column_of = _columns(names, pairs)
    if sum(abs(column_of[user] - column_of[source]) for source, user in pairs) > _MOST_SLOTS:
        raise GraphTooLargeError(len(names), len(pairs))
    slots = {name: Slot(name, column_of[name]) for name in names}
    columns: list[list[Slot]] = [[] for _ in range(max(column_of.values(), default=-1) + 1)]
    for slot in slots.values():
        columns[slot.column].append(slot)
    routes = {pair: _route(slots[pair[0]], slots[pair[1]], columns) for pair in pairs}
    for column in columns:
        _number(column)
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            _reorder(column, from_left=sweep % 2 == 0)
    return Layout(columns, routes)


def _columns(names: list[str], edges: list[tuple[str, str]]) -> dict[str, int]:
    """Put each node one column to the right of its last dependency; cycles are cut where they are found."""
    users: dict[str, list[str]] = {name: [] for name in names}
    waiting = dict.fromkeys(names, 0)
    for source, user in edges:
        users[source].append(user)
        waiting[user] += 1
    column = dict.fromkeys(names, 0)
    ready = deque(name for name in names if not waiting[name])
    placed: dict[str, None] = {}
    while len(placed) < len(names):
        # Only cycles are left: cut one at its first node.
        name = ready.popleft() if ready else next(name for name in names if name not in placed)
        if name in placed:
            continue
        placed[name] = None
        for user in users[name]:
            if user not in placed:
                column[user] = max(column[user], column[name] + 1)
                waiting[user] -= 1
                if not waiting[user]:
                    ready.append(user)
    return column


def _route(source: Slot, user: Slot, columns: list[list[Slot]]) -> list[Slot]:
    if user.column <= source.column:
        return [source, user]
    route = [source]
    for number in range(source.column + 1, user.column):
        passing = Slot(None, number)
        columns[number].append(passing)
        route.append(passing)
    route.append(user)
    for left, right in pairwise(route):
        left.right.append(right)
        right.left.append(left)
    return route


def _reorder(column: list[Slot], *, from_left: bool) -> None:
    wanted: Mapping[int, float] = {
        id(slot): _mean([other.row for other in (slot.left if from_left else slot.right)], slot.row) for slot in column
    }
    column.sort(key=lambda slot: wanted[id(slot)])
    _number(column)


def _number(column: list[Slot]) -> None:
    """Number the rows around the center of the column, so that columns of different lengths are comparable."""
    for row, slot in enumerate(column):
        slot.row = row - (len(column) - 1) / 2


def _mean(rows: list[float], otherwise: float) -> float:
    return sum(rows) / len(rows) if rows else otherwise

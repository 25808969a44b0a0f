"""A graph of providers as plain values, without references to the providers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from tetherpy.reactive import brief
from tetherpy.safe_text import one_line


@attrs.frozen(kw_only=True)
class Node:
    """One provider or family; fields that only a container knows are None in a declared graph.

    ``state`` is that of ``Explanation``, ``reason`` the reason of the last build, ``listeners`` the number of
    listeners outside the graph.
    """

    id: str
    name: str
    kind: str
    state: str | None = None
    value: str | None = None
    reason: str | None = None
    listeners: int | None = None


@attrs.frozen
class Edge:
    """A dependency of ``user`` on ``source``, by their ids; ``watches`` is False if it is only read or mentioned."""

    user: str
    source: str
    watches: bool = True


@attrs.frozen
class Graph:
    """Providers in a stable order, and their dependencies."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def sources_of(self) -> dict[str, list[Node]]:
        """Return the dependencies of each node, by its id."""
        by_id = {node.id: node for node in self.nodes}
        sources: dict[str, list[Node]] = {node.id: [] for node in self.nodes}
        for edge in self.edges:
            sources[edge.user].append(by_id[edge.source])
        return sources


def identify(providers: Iterable[Any]) -> dict[Any, str]:
    """Number the providers in order."""
    return {provider: f"n{number}" for number, provider in enumerate(dict.fromkeys(providers))}


def name_and_kind(provider: Any) -> tuple[str, str]:
    """Return the name and the kind of a provider from its ``repr``: ``Kind(name)``."""
    kind = type(provider).__name__
    text = one_line(brief(provider))
    bare = text.removeprefix(f"{kind}(").removesuffix(")")
    return (bare if text == f"{kind}({bare})" else text), kind

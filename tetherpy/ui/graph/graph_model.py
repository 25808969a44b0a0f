"""A graph of providers, as plain values: nothing in it refers to what it describes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from tetherpy.reactive import brief

from ..safe_text import one_line


@attrs.frozen(kw_only=True)
class Node:
    """One provider or family. What only a container knows is None where there is none.

    ``state`` is that of ``Explanation``, ``value`` what it holds, ``reason`` why it was last built,
    ``listeners`` how many listeners outside the graph it has.
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
    """A provider and one that it uses, by their ids; ``watches`` is False if it only reads or mentions it."""

    user: str
    source: str
    watches: bool = True


@attrs.frozen
class Graph:
    """Providers in a stable order, and who uses whom."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def sources_of(self) -> dict[str, list[Node]]:
        """Return what each node uses, by its id."""
        by_id = {node.id: node for node in self.nodes}
        sources: dict[str, list[Node]] = {node.id: [] for node in self.nodes}
        for edge in self.edges:
            sources[edge.user].append(by_id[edge.source])
        return sources


def identify(providers: Iterable[Any]) -> dict[Any, str]:
    """Give each provider an id, in order."""
    return {provider: f"n{number}" for number, provider in enumerate(dict.fromkeys(providers))}


def name_and_kind(provider: Any) -> tuple[str, str]:
    """Return how a provider is called and what it is, from its ``repr``: ``Kind(name)``."""
    kind = type(provider).__name__
    text = one_line(brief(provider))
    bare = text.removeprefix(f"{kind}(").removesuffix(")")
    return (bare if text == f"{kind}({bare})" else text), kind

"""The graph of the providers that a container has built."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tetherpy.reactive import Explanation, ProviderContainer
from tetherpy.safe_text import one_line

from .graph_model import Edge, Graph, Node, identify, name_and_kind


def live_graph(container: ProviderContainer, title: str = "providers") -> Graph:
    """Return the providers built in a container and its parents, without building or changing any."""
    explanations = [container.explain(provider) for provider in container.all_providers()]
    ids = identify(
        provider for explanation in explanations for provider in (explanation.provider, *explanation.watches)
    )
    built = {explanation.provider: explanation for explanation in explanations}
    return Graph(
        one_line(title),
        tuple(_node(provider, ids[provider], built.get(provider)) for provider in ids),
        tuple(_edges(ids, built.values())),
    )


def _node(provider: Any, node_id: str, explanation: Explanation | None) -> Node:
    name, kind = name_and_kind(provider)
    if explanation is None:
        return Node(id=node_id, name=name, kind=kind)
    return Node(
        id=node_id,
        name=name,
        kind=kind,
        state=explanation.state,
        value=one_line(explanation.holds),
        reason=one_line(explanation.reason, 400),
        listeners=explanation.listeners,
    )


def _edges(ids: dict[Any, str], explanations: Iterable[Explanation]) -> Iterable[Edge]:
    for explanation in explanations:
        for source in explanation.watches:
            yield Edge(ids[explanation.provider], ids[source])

"""The graph of declared providers, read from the source of their modules."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from tetherpy.safe_text import one_line

from .graph_model import Edge, Graph, Node, identify, name_and_kind
from .source_reader import SourceReader, is_provider


def declared_graph(module: ModuleType, title: str = "providers") -> Graph:
    """Return the providers and families of a module, and those of other modules that they use.

    Dependencies are read from the source: a provider uses the providers that its function names, directly or through
    other functions and classes of its module. Providers passed in at run time are not found.
    """
    reader = SourceReader()
    uses: dict[Any, dict[Any, bool]] = {}
    waiting = [value for value in vars(module).values() if is_provider(value)]
    declared = list(waiting)
    for provider in declared:
        if provider not in uses:
            uses[provider] = reader.uses_of(provider, module)
            declared += uses[provider]
    ids = identify(declared)
    return Graph(
        one_line(title),
        tuple(_node(provider, ids[provider]) for provider in ids),
        tuple(
            Edge(ids[provider], ids[source], watches)
            for provider, sources in uses.items()
            for source, watches in sources.items()
        ),
    )


def _node(provider: Any, node_id: str) -> Node:
    name, kind = name_and_kind(provider)
    return Node(id=node_id, name=name, kind=kind)

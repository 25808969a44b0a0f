"""A graph as plain text."""

from __future__ import annotations

from .graph_model import Graph, Node


def to_text(graph: Graph) -> str:
    """Describe each provider in a paragraph: kind, value, dependencies, and the reason of its last build."""
    if not graph.nodes:
        return f"{graph.title}: no providers\n"
    sources = graph.sources_of()
    return "\n".join(f"{_paragraph(node, sources[node.id])}\n" for node in graph.nodes)


def _paragraph(node: Node, sources: list[Node]) -> str:
    lines = [f"{node.name} ({node.kind})" + ("" if node.value is None else f" = {node.value}")]
    if sources:
        lines.append(f"  uses {', '.join(source.name for source in sources)}")
    if node.reason is not None:
        lines.append(f"  {node.state}; {_listeners(node.listeners or 0)}; built after {node.reason}")
    return "\n".join(lines)


def _listeners(count: int) -> str:
    return "1 listener" if count == 1 else f"{count} listeners"

"""A graph as a Mermaid flowchart (mermaid.js.org/syntax/flowchart.html)."""

from __future__ import annotations

import re

from .graph_model import Graph, Node

_SPECIAL = re.compile(r"[^\w .,:;()\[\]{}=+*/'-]")
"""Characters that could end a quoted label or be read as Markdown, HTML or an entity."""


def to_mermaid(graph: Graph) -> str:
    """Draw providers as boxes, with arrows from dependencies to their users; dotted if not watched."""
    lines = ["flowchart LR"]
    lines += [f'    {node.id}["{_label(node)}"]' for node in graph.nodes]
    lines += [f"    {edge.source} {'-->' if edge.watches else '-.->'} {edge.user}" for edge in graph.edges]
    failed = [node.id for node in graph.nodes if node.state == "FAILED"]
    if failed:
        lines += ["    classDef failed stroke:#c62828,stroke-width:2px", f"    class {','.join(failed)} failed"]
    return "\n".join(lines) + "\n"


def _label(node: Node) -> str:
    parts = [node.name, node.kind]
    if node.value is not None:
        parts.append(node.value)
    if node.reason is not None:
        parts.append(f"after {node.reason}")
    return "<br/>".join(map(_escaped, parts))


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"#{ord(found[0])};", text)

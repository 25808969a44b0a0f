"""A graph as an SVG picture, for light and dark pages."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from .box_sizes import LINE, PADDING, Box, lines_of, place
from .errors import GraphTooLargeError
from .graph_model import Edge, Graph, Node
from .layout import Layout, lay_out

MOST_DRAWN: Final = 500
"""The maximum number of providers in a readable picture."""


_STYLE = """
    svg { --paper: #ffffff; --box: #f6f8fa; --line: #57606a; --text: #1f2328; --soft: #57606a; --bad: #c62828;
          color-scheme: light dark; background: var(--paper); }
    @media (prefers-color-scheme: dark) {
      svg { --paper: #0d1117; --box: #161b22; --line: #8b949e; --text: #e6edf3; --soft: #9da7b3; --bad: #ff7b72; }
    }
    text { font: 12px ui-monospace, "SFMono-Regular", Menlo, Consolas, monospace; fill: var(--text); }
    text.soft { fill: var(--soft); }
    text.name { font-weight: 600; }
    rect { fill: var(--box); stroke: var(--line); }
    g.FAILED rect { stroke: var(--bad); stroke-width: 2; }
    path { fill: none; stroke: var(--line); }
    path.mentions { stroke-dasharray: 4 3; }
    marker path { fill: var(--line); stroke: none; }
"""

_TIP = (
    '  <defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0,0 L8,4 L0,8 z"/></marker></defs>'
)


def to_svg(graph: Graph) -> str:
    """Draw the graph from left to right, with arrows from dependencies to their users.

    Raises:
        GraphTooLargeError: it has more than ``MOST_DRAWN`` providers, or too many long arrows.
    """
    if len(graph.nodes) > MOST_DRAWN:
        raise GraphTooLargeError(len(graph.nodes), len(graph.edges))
    layout = lay_out((node.id for node in graph.nodes), ((edge.source, edge.user) for edge in graph.edges))
    lines = {node.id: lines_of(node) for node in graph.nodes}
    boxes, width, height = place(layout, lines)
    at = {slot.node: boxes[id(slot)] for column in layout.columns for slot in column if slot.node is not None}
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>',
            f"  <title>{_xml(graph.title)}</title>",
            f"  <desc>{len(graph.nodes)} providers; arrows lead from dependencies to their users.</desc>",
            f"  <style>{_STYLE}  </style>",
            _TIP,
            *_draw_edges(graph, layout, boxes),
            *(part for node in graph.nodes for part in _draw_node(node, lines[node.id], at[node.id])),
            "</svg>\n",
        ]
    )


def _draw_edges(graph: Graph, layout: Layout, boxes: dict[int, Box]) -> Iterator[str]:
    for edge in graph.edges:
        route = layout.routes.get((edge.source, edge.user))
        if route is not None:
            yield _draw_edge(edge, [boxes[id(slot)] for slot in route])


def _draw_edge(edge: Edge, boxes: list[Box]) -> str:
    x, y = boxes[0].x + boxes[0].width, boxes[0].y
    path = [f"M{x:.1f},{y:.1f}"]
    for box in boxes[1:]:
        middle = (x + box.x) / 2
        path.append(f"C{middle:.1f},{y:.1f} {middle:.1f},{box.y:.1f} {box.x:.1f},{box.y:.1f}")
        x, y = box.x, box.y
        if box is not boxes[-1]:
            x += box.width
            path.append(f"H{x:.1f}")
    kind = "" if edge.watches else ' class="mentions"'
    return f'  <path{kind} d="{" ".join(path)}" marker-end="url(#tip)"/>'


def _draw_node(node: Node, lines: list[tuple[str, str]], box: Box) -> Iterator[str]:
    top = box.y - box.height / 2
    yield f'  <g class="{_xml(node.state or "declared")}">'
    yield f"    <title>{_xml(_tooltip(node))}</title>"
    yield (f'    <rect x="{box.x:.1f}" y="{top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="6"/>')
    for number, (kind, text) in enumerate(lines):
        y = top + PADDING + LINE * (number + 0.75)
        yield f'    <text class="{kind}" x="{box.x + PADDING:.1f}" y="{y:.1f}">{_xml(text)}</text>'
    yield "  </g>"


def _tooltip(node: Node) -> str:
    parts = [f"{node.kind} {node.name}"]
    if node.value is not None:
        parts.append(f"= {node.value}")
    if node.reason is not None:
        parts.append(f"built after {node.reason}")
    return "; ".join(parts)


def _xml(text: str) -> str:
    # U+FFFE and U+FFFF are the only characters left by one_line() that XML 1.0 forbids.
    return escape(text.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff"))

"""The graph of the providers of a container or a module, as text, Mermaid or SVG."""

from tetherpy.facades import facade_dir

from .built_providers import live_graph
from .declared_providers import declared_graph
from .errors import GraphTooLargeError
from .graph_model import Edge, Graph, Node
from .mermaid import to_mermaid
from .svg import MOST_DRAWN, to_svg
from .text_drawing import to_text

__all__ = [
    "MOST_DRAWN",
    "Edge",
    "Graph",
    "GraphTooLargeError",
    "Node",
    "declared_graph",
    "live_graph",
    "to_mermaid",
    "to_svg",
    "to_text",
]

__dir__ = facade_dir(__all__)

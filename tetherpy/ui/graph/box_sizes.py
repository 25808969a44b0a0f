"""The sizes and positions of the boxes in the picture."""

from __future__ import annotations

import attrs

from .graph_model import Node
from .layout import Layout, Slot

_CHARACTER = 7.3  # pixels, in the monospaced font at 12 px
_LONGEST = 44  # characters in a line; the tooltip has the full text
LINE = 16.0
PADDING = 10.0
_GAP_X = 56.0
_GAP_Y = 18.0
_MARGIN = 16.0
_PASSING = 14.0  # the height of an edge that crosses a column


@attrs.define
class Box:
    """A rectangle by its left edge and its vertical center."""

    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = _PASSING


def lines_of(node: Node) -> list[tuple[str, str]]:
    """Return the lines of text in a box, each with its CSS class."""
    lines = [("name", node.name), ("soft", _about(node))]
    if node.value is not None:
        lines.append(("value", node.value))
    if node.reason is not None:
        lines.append(("soft", f"after {node.reason}"))
    return [(kind, text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…") for kind, text in lines]


def _about(node: Node) -> str:
    if node.listeners is None:
        return node.kind
    return f"{node.kind}, {node.listeners} listener{'' if node.listeners == 1 else 's'}"


def place(layout: Layout, lines: dict[str, list[tuple[str, str]]]) -> tuple[dict[int, Box], float, float]:
    """Return the box of each slot, by ``id(slot)``, and the width and height of the picture."""
    boxes = {id(slot): _box(slot, lines) for column in layout.columns for slot in column}
    tall = [sum(boxes[id(slot)].height + _GAP_Y for slot in column) - _GAP_Y for column in layout.columns]
    height = max(tall, default=0.0) + 2 * _MARGIN
    x = _MARGIN
    for column, own in zip(layout.columns, tall, strict=True):
        y = (height - own) / 2
        for slot in column:
            box = boxes[id(slot)]
            box.x, box.y = x, y + box.height / 2
            y += box.height + _GAP_Y
        broad = max(boxes[id(slot)].width for slot in column)
        for slot in column:
            if slot.node is None:
                boxes[id(slot)].width = broad
        x += broad + _GAP_X
    return boxes, max(x - _GAP_X, 0.0) + _MARGIN, height


def _box(slot: Slot, lines: dict[str, list[tuple[str, str]]]) -> Box:
    if slot.node is None:
        return Box()
    own = lines[slot.node]
    width = max(len(text) for _, text in own) * _CHARACTER + 2 * PADDING
    return Box(width=width, height=len(own) * LINE + 2 * PADDING)

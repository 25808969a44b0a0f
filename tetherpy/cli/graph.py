"""``tetherpy graph``."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import attrs
import typer

from tetherpy.reactive import brief
from tetherpy.ui.graph import Graph, Node, declared_graph, live_graph, to_mermaid, to_svg, to_text

from .errors import GraphTargetError
from .graph_target import Target
from .output.columns import Column, View
from .output.formats import emit, is_terminal, to_json
from .output.standard_streams import writing
from .parameters.options import JsonOption


class Format(StrEnum):
    """The output format of a graph."""

    TEXT = "text"
    MERMAID = "mermaid"
    SVG = "svg"


@attrs.frozen
class Element:
    """One provider of a graph, and its dependencies."""

    node: Node
    uses: tuple[str, ...]


ELEMENTS = View[Element](
    (
        Column("name", lambda element: element.node.name),
        Column("kind", lambda element: element.node.kind),
        Column("state", lambda element: element.node.state or ""),
        Column("listeners", lambda element: "" if element.node.listeners is None else str(element.node.listeners)),
        Column("uses", lambda element: ", ".join(element.uses)),
        Column("value", lambda element: element.node.value or ""),
        Column("built after", lambda element: element.node.reason or ""),
    ),
    lambda element: attrs.asdict(element.node) | {"uses": element.uses},
)
"""A provider as one row."""


async def graph(
    target: Annotated[
        str,
        typer.Argument(
            metavar="MODULE[:NAME]",
            help="A ProviderContainer, or a function that returns one; or a module, for its declared providers.",
            show_default=False,
        ),
    ],
    form: Annotated[Format, typer.Option("--format", help="The output format.")] = Format.TEXT,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The output file; stdout if not given.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Draw the providers of a container: values, listeners, dependencies, and the cause of each last build.

    With a module alone it draws the providers that the module declares, without building any.
    """
    if json and form is not Format.TEXT:
        raise typer.BadParameter("--json and --format exclude each other.")
    text = _drawn(await _graph_of(Target.named(target)), form, json=json, for_people=output is None and is_terminal())
    if output is None:
        emit(text, end="")
    else:
        with writing(str(output)):
            output.write_text(text, encoding="utf-8")


async def _graph_of(target: Target) -> Graph:
    if target.name is None:
        return declared_graph(target.module, target.text)
    container = await target.container()
    found = live_graph(container, target.text)
    try:
        await container.aclose()
    except ExceptionGroup as failures:
        raise GraphTargetError(target.text, f"disposing it raised {brief(failures.exceptions[0])}") from failures
    return found


def _drawn(found: Graph, form: Format, *, json: bool, for_people: bool) -> str:
    if json:
        return f"{to_json(attrs.asdict(found))}\n"
    draw: dict[Format, Callable[[Graph], str]] = {
        Format.TEXT: to_text if for_people else _to_lines,
        Format.MERMAID: to_mermaid,
        Format.SVG: to_svg,
    }
    return draw[form](found)


def _to_lines(found: Graph) -> str:
    sources = found.sources_of()
    rows = [Element(node, tuple(source.name for source in sources[node.id])) for node in found.nodes]
    return "".join(f"{ELEMENTS.line(row)}\n" for row in rows)

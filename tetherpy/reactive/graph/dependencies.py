"""Keep the sources that a build has read, and find paths along them; ``updates/watch.py`` collects the reads."""

from __future__ import annotations

from typing import Any

from .element import Element
from .users import link, unlink


def relink(element: Element) -> None:
    """Replace the sources of the last build by those of the current build."""
    old = element.sources
    kept = element.idx
    fresh = element.fresh
    element.fresh = None
    new = old[:kept] if fresh is None else (*old[:kept], *fresh)
    element.sources = new
    known = False
    if fresh is not None:
        for source in fresh:
            if source.observers is None and not element.active and (source.ref is None or source.ref.hooks is None):
                source.observers = (element,)  # link(), for the common case
            elif not link(source, element):
                known = True
    if known or kept < len(old):
        unique = dict.fromkeys(new)
        if len(unique) < len(new):
            # Watched twice by this build: another build had taken its mark in between.
            element.sources = tuple(unique)
        flow = element.flow
        for source in old[kept:]:
            if source not in unique:
                if flow is not None and flow.building:
                    flow.hold(source)
                unlink(source, element)


def add_source(element: Element, source: Element) -> None:
    """Link one more source."""
    element.host.edges_moved = True
    element.sources = (*element.sources, source)
    link(source, element)


def forget_last(element: Element, source: Element) -> None:
    """Forget a source that a build has read, if it was the last one."""
    if element.fresh is not None:
        if element.fresh and element.fresh[-1] is source:
            element.fresh.pop()
            source.mark = None
    elif element.idx and element.sources[element.idx - 1] is source:
        element.idx -= 1
        element.fresh = []
        source.mark = None


def path_to(start: Element, goal: Element) -> list[Element] | None:
    """Return a path along sources, both ends included, or None if ``start`` does not depend on ``goal``."""
    came_from: dict[Element, Element | None] = {start: None}
    todo = [start]
    while todo:
        node = todo.pop()
        if node is goal:
            path = [node]
            while (previous := came_from[path[-1]]) is not None:
                path.append(previous)
            return path[::-1]
        for source in node.sources:
            if source not in came_from:
                came_from[source] = node
                todo.append(source)
    return None


def users_first(nodes: list[Element]) -> list[Element]:
    """Order the nodes of a container for disposal: each after those that use it, else as given."""
    readers: dict[Element, list[Element]] = {}
    for node in nodes:
        if node.ref is not None and node.ref.reads:
            for source in node.ref.reads:
                readers.setdefault(source, []).append(node)
    ordered: dict[Element, None] = {}
    opened: set[Element] = set()
    for start in nodes:
        todo = [start]
        while todo:
            node = todo[-1]
            if node not in opened:
                opened.add(node)
                users = node.observers or ()
                if node in readers:
                    users = (*users, *readers[node])
                todo.extend(user for user in users if user not in opened)
            else:
                todo.pop()
                ordered[node] = None
    return [node for node in ordered if not node.provider.ephemeral]


def named(nodes: list[Element]) -> list[Any]:
    """Return the providers of nodes, without the views that were made on the spot."""
    return [node.provider for node in nodes if not node.provider.ephemeral]

"""Read a source inside a build, and remember the edge."""

from __future__ import annotations

from typing import Any

from ...container.scope_check import check_scope
from ...errors import CircularDependencyError
from ..dependencies import add_source, named, path_to
from ..element import Element
from .read import read, refresh


def depend_on(element: Element, source: Element) -> Any:
    """Read a source inside a build and remember the edge (Ref.watch is this, inlined)."""
    build = element.ref
    if source.mark is not build:
        source.mark = build
        fresh = element.fresh
        if fresh is not None:
            fresh.append(source)
        else:
            idx = element.idx
            sources = element.sources
            if idx < len(sources) and sources[idx] is source:
                element.idx = idx + 1
            else:
                element.fresh = [source]
    if source.state:
        return read(source)
    return source.value


def depend_late(element: Element, source: Element) -> None:
    """Link a source that is watched after the synchronous part of a build has ended (after an ``await``).

    Raises:
        CircularDependencyError: that source needs this element.
        MissingDependencyError: that source is scoped and this element does not list it.
    """
    element.host.check()
    check_scope(element.provider, source.provider)
    if source in element.sources:
        return
    scheduler = element.host.scheduler
    scheduler.depth += 1
    try:
        if source.state > 0:
            # Before the edge exists: the first value that this build sees is not a change.
            refresh(source)
        refuse_loop(element, source)
        add_source(element, source)
    finally:
        scheduler.leave()


def refuse_loop(element: Element, source: Element) -> None:
    """Raise CircularDependencyError if ``source`` already depends on the element that is to depend on it."""
    loop = path_to(source, element) if element.observers else None
    if loop is not None:
        raise CircularDependencyError(named([element, *loop]))

"""Bring a node up to date that may be outdated, its sources first.

The walk has its own stack, so the length of a chain is not limited by Python's recursion limit. Only a *first* build
recurses, because the function of a provider reads its sources itself.
"""

from __future__ import annotations

from typing import Any

from ...errors import CircularDependencyError, ProviderDisposedError, ReactiveError, ReadDuringDisposalError
from ..dependencies import forget_last, named
from ..element import Element
from ..node_states import BUILDING, CHECK, CLEAN, DIRTY, ENDING, FAILED
from .build import build


def update(element: Element) -> None:
    """Bring one element up to date, its possibly outdated sources first.

    Raises:
        CircularDependencyError: it is needed for its own build.
        ProviderDisposedError: it, or something it depends on, was disposed.
    """
    state = element.state
    if state == DIRTY:
        build(element)
        return
    if state != CHECK:
        raise _stuck(element, element, [])
    scheduler = element.host.scheduler
    changes = scheduler.changes
    waiting: list[Element] = []
    node = element
    node.idx = 0
    while True:
        while node.state == CHECK:
            # Outside a build, idx is the position up to which the sources are known to be up to date.
            sources = node.sources
            position = node.idx
            while position < len(sources):
                source = sources[position]
                position += 1
                state = source.state
                if state > 0:
                    if state == CHECK:
                        node.idx = position
                        waiting.append(node)
                        node = source
                        node.idx = 0
                        break
                    if state != DIRTY:
                        raise _stuck(element, source, [*waiting, node])
                    build(source)
                    if node.state > CHECK:
                        break
            else:
                if changes != scheduler.changes:
                    # A disposer has changed something, which may be behind a source that was passed already.
                    changes = scheduler.changes
                    for other in (*waiting, node):
                        other.idx = 0
                elif node.state == CHECK:
                    node.state = CLEAN if node.failure is None else FAILED
        if node.state == DIRTY:
            build(node)
        if not waiting:
            return
        node = waiting.pop()


def _stuck(asked: Element, node: Element, waiting: list[Element]) -> ReactiveError:
    reader = asked.host.scheduler.building
    if node.state == BUILDING:
        error: ReactiveError = CircularDependencyError(_cycle(node, waiting))
    elif node.state == ENDING:
        error = ReadDuringDisposalError(asked.provider, node.provider)
    else:
        return ProviderDisposedError(node.provider)
    if reader is not None:
        # The edge that would close the loop is not kept: the graph stays free of loops, and can recover.
        forget_last(reader, asked)
    return error


def _cycle(node: Element, waiting: list[Element]) -> list[Any]:
    """Name the loop: from a node under construction along what each one read last, back to itself."""
    path = [node]
    current = node
    for _ in range(10_000):
        last = current.fresh[-1] if current.fresh else current.sources[current.idx - 1] if current.idx else None
        if last is None or last is node:
            break
        if last.state != BUILDING:
            path.extend(other for other in waiting if other.state == CHECK)
            break
        path.append(last)
        current = last
    return named([*path, node])

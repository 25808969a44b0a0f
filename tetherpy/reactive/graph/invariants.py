"""Invariants of the graph; with ``TETHERPY_CHECK=1`` they are checked after each operation.

A check visits the whole graph, so it is meant for tests and bug reports.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

from ..errors import GraphInvariantError
from ..values.summary import brief
from .element import Element
from .node_states import BUILDING, CLEAN, DISPOSED, ENDING, FAILED

AFFORDABLE: Final = 20
"""The average number of elements checked for each operation."""

LARGEST: Final = 2_000
"""A graph with more elements is not checked."""

enabled: bool = os.environ.get("TETHERPY_CHECK", "") not in ("", "0")
"""Whether new containers are checked; set by the environment variable by default."""


def auditor(container: Any) -> Callable[[], None]:
    """Return a function that checks the graph of a tree of containers.

    Raises:
        GraphInvariantError: by the function, if an invariant is violated.
    """

    credit = 0

    def audit() -> None:
        nonlocal credit
        if container.disposed:
            return
        tree = [container]
        for one in tree:
            tree.extend(one._children or ())
        # A large graph is not checked each time: the cost of an operation is bounded.
        credit += AFFORDABLE
        if sum(len(one.elements) for one in tree) <= min(credit, LARGEST):
            credit = 0
            check_graph(tree, ())

    return audit


def check_graph(containers: Iterable[Any], outside: Iterable[Element]) -> None:
    """Check edges, counts of active users, marks and queues against each other.

    Args:
        containers: the containers to check, with all elements connected to theirs.
        outside: further elements to start from.

    Raises:
        GraphInvariantError: an invariant is violated.
    """
    elements = _reachable([*(e for container in containers for e in container.elements.values()), *outside])
    held = Counter(source for e in elements for source, active in _held(e) if not active)
    for element in elements:
        _want(
            not _held(element) or element.active or element.flow is None or element.flow.building,
            "{} holds what its last build watched, although it is not active",
            element,
        )
        _check_edges(element)
        _check_marks(element)
        _check_use(element, held[element])


def _want(truth: object, complaint: str, *subjects: object) -> None:
    if not truth:
        raise GraphInvariantError(complaint.format(*map(brief, subjects)))


def _reachable(seeds: Iterable[Element]) -> list[Element]:
    found: dict[Element, None] = {}
    todo = list(seeds)
    while todo:
        element = todo.pop()
        if element not in found:
            found[element] = None
            todo.extend(element.sources)
            todo.extend(element.observers or ())
    return list(found)


def _held(element: Element) -> list[tuple[Element, bool]]:
    return [] if element.flow is None else element.flow.held


def _check_edges(element: Element) -> None:
    for source in element.sources:
        _want(element in (source.observers or ()), "{} watches {}, which does not know", element, source)
        _want(source.state != DISPOSED, "{} watches {}, which is disposed", element, source)
    _want(len(set(element.sources)) == len(element.sources), "{} has one source twice", element)
    for observer in element.observers or ():
        _want(element in observer.sources, "{} has the observer {}, which does not watch it", element, observer)
    if element.state == DISPOSED:
        _want(not element.sources, "{} is disposed and still watches", element)
        _want(not element.observers, "{} is disposed and still watched", element)
        _want(not element.interest, "{} is disposed and still awaited", element)
    elif not element.provider.ephemeral:
        _want(element.host.elements.get(element.provider) is element, "{} is not in its container", element)


def _check_marks(element: Element) -> None:
    _want(element.state not in (BUILDING, ENDING), "{} was left half way", element)
    _want(element.fresh is None, "{} still collects sources", element)
    if element.state in (CLEAN, FAILED):
        stale = [source for source in element.sources if source.state > 0]
        _want(not stale, "{} is marked up to date but its sources {} are not", element, stale)
        _want((element.failure is not None) == (element.state == FAILED), "{} is wrong about its failure", element)
    elif element.state != DISPOSED and any(not (other.weak or other.is_paused) for other in element.listeners):
        scheduler = element.host.scheduler
        queued = element in scheduler.queue or element in scheduler.interrupted
        _want(queued, "{} is listened to, outdated and not queued", element)


def _check_use(element: Element, held_inactive: int) -> None:
    listening = [listener for listener in element.listeners if not listener.weak]
    active = sum(observer.active > 0 for observer in element.observers or ())
    active += sum(not listener.is_paused for listener in listening)
    active += element.interest - len(listening) - held_inactive
    _want(element.active == active, "{}.active is {}, but {} active users were found", element, element.active, active)
    if element.state == DISPOSED:
        return
    hooks = None if element.ref is None else element.ref.hooks
    used = bool(element.observers or element.interest or (hooks is not None and hooks.links))
    if element.provider.ephemeral:
        _want(used or not element.sources, "the view {} is unused and still watches", element)
    elif element.provider.is_auto_dispose and not used and element.ref is not None:
        scheduled = element in element.host.scheduler.disposals or (hooks is not None and hooks.cache_time is not None)
        _want(scheduled, "{} is unused and will not be disposed", element)

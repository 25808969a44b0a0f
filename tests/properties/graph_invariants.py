"""What must hold of every node between any two operations, computed from scratch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tetherpy.reactive.element import Element
from tetherpy.reactive.states import BUILDING, CLEAN, DISPOSED, FAILED


def reachable(seeds: Iterable[Element]) -> list[Element]:
    """Return the elements and everything they are connected with."""
    found: dict[Element, None] = {}
    todo = list(seeds)
    while todo:
        element = todo.pop()
        if element not in found:
            found[element] = None
            todo.extend(element.sources)
            todo.extend(element.observers or ())
    return list(found)


def check_graph(containers: Iterable[Any], outside: Iterable[Element]) -> None:
    """Compare edges, counts of active users, marks and queues with what they are made from."""
    containers = list(containers)
    elements = reachable([*(e for container in containers for e in container.elements.values()), *outside])
    held = Counter(source for e in elements if e.flow is not None for source, active in e.flow._held if not active)
    for element in elements:
        if element.flow is not None and element.flow._held:
            assert element.flow.building or element.state > 0, f"{element} holds on to what its last build watched"
        _check_edges(element)
        _check_marks(element)
        _check_use(element, held[element])


def _check_edges(element: Element) -> None:
    for source in element.sources:
        assert element in (source.observers or ()), f"{element} watches {source}, which does not know"
        assert source.state != DISPOSED, f"{element} watches {source}, which is disposed"
    assert len(set(element.sources)) == len(element.sources), f"{element} has one source twice"
    for observer in element.observers or ():
        assert element in observer.sources, f"{element} thinks it is watched by {observer}"
    if element.state == DISPOSED:
        assert not element.sources, f"{element} is disposed and still watches"
        assert not element.observers, f"{element} is disposed and still watched"
        assert not element.interest, f"{element} is disposed and still awaited"
    elif not element.provider.ephemeral:
        assert element.host.elements.get(element.provider) is element, f"{element} is not in its container"


def _check_marks(element: Element) -> None:
    assert element.state != BUILDING, f"{element} is left building"
    assert element.fresh is None, f"{element} is left collecting sources"
    if element.state in (CLEAN, FAILED):
        stale = [source for source in element.sources if source.state > 0]
        assert not stale, f"{element} is marked up to date but its sources {stale} are not"
        assert (element.failure is not None) == (element.state == FAILED), f"{element} is wrong about its failure"
    elif element.state != DISPOSED and any(not (other.weak or other.is_paused) for other in element.listeners):
        assert element in element.host.scheduler.queue, f"{element} is listened to, outdated and not queued"


def _check_use(element: Element, held_inactive: int) -> None:
    listening = [listener for listener in element.listeners if not listener.weak]
    active = sum(observer.active > 0 for observer in element.observers or ())
    active += sum(not listener.is_paused for listener in listening)
    active += element.interest - held_inactive
    assert element.active == active, f"{element}.active is {element.active}, but {active} active users were found"
    if element.state == DISPOSED:
        return
    links = element.ref is not None and element.ref.hooks is not None and element.ref.hooks.links
    used = bool(element.observers or listening or element.interest or links)
    if element.provider.ephemeral:
        assert used or not element.sources, f"the view {element} is unused and still watches"
    elif element.provider.is_auto_dispose and not used and element.ref is not None:
        assert element in element.host.scheduler.disposals, f"{element} is unused and nobody will dispose it"

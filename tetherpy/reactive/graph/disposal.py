"""Disposal of nodes: one unused node, or all nodes of a container."""

from __future__ import annotations

from collections.abc import Iterable

from .announcements import tell_observers
from .element import NO_VALUE, Element, Host
from .invalidation import end_build
from .node_states import DIRTY, DISPOSED, ENDING
from .retries.node_retries import stop_retrying
from .users import drop_sources, is_used, listens_to_users, unlink


def dispose(node: Element) -> None:
    """Remove a node from the graph; its state becomes DISPOSED."""
    if node.state not in (ENDING, DISPOSED):
        _end(node)
        drop_sources(node)
        node.host.forget(node)
        tell_observers(node, "did_unmount_provider")


def dispose_all(nodes: Iterable[Element], host: Host) -> None:
    """Dispose all nodes of a container, users before the nodes they use."""
    asked = any(listens_to_users(node) for node in nodes)
    for node in nodes:
        if node.state in (ENDING, DISPOSED):
            continue
        for listener in tuple(node.listeners):
            listener.close()
        for observer in node.observers or ():
            if observer.provider.ephemeral and observer.listeners:
                _close_views(node)
                break
        _end(node)
        for source in node.sources:
            if source.host is not host or (
                (asked or source.provider.ephemeral) and _outlives(source, host, asked=asked)
            ):
                unlink(source, node)
        if host.observers:
            tell_observers(node, "did_unmount_provider")
        # Without reference cycles the elements of a request are freed at once, without the garbage collector.
        node.sources = ()
        node.observers = None


def _outlives(source: Element, host: Host, *, asked: bool) -> bool:
    """Return whether the edge to a source must be removed before a container disposes all its nodes.

    Edges inside the container need no removal, unless a callback is registered for it. The source of a view may be in
    a parent container, which would keep the view alive.
    """
    if source.host is not host or (asked and listens_to_users(source)):
        return True
    return source.provider.ephemeral and any(_outlives(other, host, asked=asked) for other in source.sources)


def _close_views(node: Element) -> None:
    observers: tuple[Element, ...] = tuple(node.observers) if node.observers else ()
    for observer in observers:
        if observer.provider.ephemeral:
            for listener in tuple(observer.listeners):
                listener.close()
            _close_views(observer)


def _end(node: Element) -> None:
    if node.ref is not None and (node.ref.hooks is not None or (node.flow is not None and not node.flow.done)):
        end_build(node)
    node.state = DISPOSED
    node.ref = node.mark = node.cause = None
    node.value = NO_VALUE
    if node.host.scheduler.retries:
        stop_retrying(node)
    if node.flow is not None:
        node.flow.dispose()


def dispose_if_unused(node: Element) -> None:
    """Dispose an auto-dispose node, unless it has a user again."""
    if node.state == DISPOSED or is_used(node):
        return
    hooks = None if node.ref is None else node.ref.hooks
    if hooks is not None and hooks.cache_timer is not None:
        return
    if node.listeners:
        # Weak listeners wait for the next build of this node, so it is cleared and kept (Riverpod).
        _end(node)
        node.state = DIRTY
        node.failure = None
        drop_sources(node)
    else:
        dispose(node)

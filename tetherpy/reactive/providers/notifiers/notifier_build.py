"""Builds of notifier providers: the notifier is created at the first build and kept through rebuilds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...asynchronous.async_flow import attach_flow
from ...asynchronous.source import Sink, Source
from ...graph.element import Element

Begin = Callable[[Sink, Any], Source | None]


def attach_notifier(element: Element, create: Callable[[], Any]) -> None:
    """Prepare an element whose value is the result of the notifier's ``build``."""
    _forget(element)

    def run(ref: Any) -> Any:
        notifier = _notifier(element, create)
        return _shown(notifier, notifier.build())

    element.create = run


def attach_notifier_build(element: Element, create: Callable[[], Any], build: Callable[[Any, Any], Any]) -> None:
    """Prepare an element whose value is the result of ``build(ref, notifier)``."""
    _forget(element)

    def run(ref: Any) -> Any:
        notifier = _notifier(element, create)
        return _shown(notifier, build(ref, notifier))

    element.create = run


def attach_async_notifier(element: Element, create: Callable[[], Any], begin: Begin) -> None:
    """Prepare an element that takes its values from the result of the notifier's ``build``."""
    _forget(element)
    attach_flow(element, lambda _: _notifier(element, create).build(), begin)


def attach_async_notifier_build(
    element: Element, create: Callable[[], Any], build: Callable[[Any, Any], Any], begin: Begin
) -> None:
    """Prepare an element that takes its values from the result of ``build(ref, notifier)``."""
    _forget(element)
    attach_flow(element, lambda ref: build(ref, _notifier(element, create)), begin)


def attach_async_notifier_value(element: Element, create: Callable[[], Any], value: Any) -> None:
    """Prepare an element whose first state is an AsyncValue."""
    attach_async_notifier_build(element, create, lambda ref, notifier: value, _begin_with)


def _begin_with(sink: Sink, value: Any) -> None:
    sink.become(value)


def _notifier(element: Element, create: Callable[[], Any]) -> Any:
    """Return the notifier; it is created at the first build and kept through rebuilds (Riverpod)."""
    notifier = element.notifier
    if notifier is None:
        notifier = create()
        notifier.attach_to(element)
        element.notifier = notifier
    return notifier


def _shown(notifier: Any, value: Any) -> Any:
    return value if notifier.pending_changes is None else notifier.pending_changes.take(value)


def _forget(element: Element) -> None:
    if element.notifier is not None:
        element.notifier.detach()
    element.notifier = None
    element.differs = None

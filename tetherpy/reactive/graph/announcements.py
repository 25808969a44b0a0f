"""Notification of listeners and observers after a walk of the graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextvars import Context
from typing import Any

from ..container.observer import ProviderObserverContext, current_mutation
from ..lifecycle.callbacks import call
from ..lifecycle.hooks import Hooks, SelfListener
from .element import NO_VALUE, NO_VARIABLES, Element, Listener
from .node_states import BUILDING


def report_failure(node: Element, error: Exception) -> None:
    """Report an error to observers and ``on_error`` once, after they were notified of the state it led to."""
    call_once = _report_failure
    if node.state == BUILDING:
        call_once = _report_afterwards  # the state that this build leads to is not announced yet
    node.host.scheduler.callbacks.append((call_once, (node, error)))


def _report_afterwards(node: Element, error: Exception) -> None:
    node.host.scheduler.callbacks.append((_report_failure, (node, error)))


def _report_failure(node: Element, error: Exception) -> None:
    host = node.host
    for observer in host.observers:
        _tell(node, observer.provider_did_fail, None, node.notifier, error)
    host.report_failure(error, node.provider)


def announce(node: Element, previous: Any, *, first: bool = False) -> None:
    """Notify the present listeners and observers of a change.

    They are called at the end of the scheduler operation that the caller has open.

    Args:
        node: the node that changed.
        previous: the value before.
        first: whether this is the first build.
    """
    host = node.host
    if previous is NO_VALUE:
        previous = None
    value = None if node.value is NO_VALUE else node.value
    listeners: tuple[Listener, ...] = tuple(node.listeners)
    if first:
        # The listener that caused the build has the value already; weak listeners do not.
        listeners = tuple([listener for listener in listeners if listener.weak])
    if host.observers:
        _keep_hooks(node)
    self_listeners = () if node.ref is None or node.ref.hooks is None else _self_listeners(node)
    if host.observers or self_listeners:
        mutation = current_mutation.get() if host.observers else None
        arguments = (node, previous, value, node.failure, first, listeners, self_listeners, mutation)
        host.scheduler.callbacks.append((_notify, arguments))
    elif listeners:
        host.scheduler.callbacks.append((notify_listeners, (node, listeners, previous, value, node.failure)))


def announce_unchanged(node: Element, previous: Any) -> None:
    """Call only self-listeners, which are notified of each build and each new state (Riverpod)."""
    _keep_hooks(node)
    listeners = _self_listeners(node)
    if listeners:
        node.host.scheduler.callbacks.append(
            (_notify_itself, (node, None if previous is NO_VALUE else previous, node.value, None, listeners))
        )


def _keep_hooks(node: Element) -> None:
    """Give the build hooks, so that observers are notified of its end."""
    if node.host.observers and node.ref is not None and node.ref.hooks is None:
        node.ref.hooks = Hooks()


def _self_listeners(node: Element) -> Iterable[SelfListener]:
    hooks: Hooks | None = None if node.ref is None else node.ref.hooks
    return tuple(hooks.self_listeners.values()) if hooks is not None and hooks.self_listeners else ()


def notify_listeners(
    _: Element, listeners: tuple[Listener, ...], previous: Any, value: Any, failure: Exception | None
) -> None:
    """Call listeners in the contexts of their registrations.

    Consecutive listeners without context variables share one new context, as long as none of them sets a variable.
    """
    rest = iter(listeners)
    listener = next(rest, None)
    while listener is not None:
        context = listener.context
        if context is NO_VARIABLES:
            context = Context()
            listener = context.run(_notify_alike, context, listener, rest, previous, value, failure)
        else:
            if context is None:
                listener.notify(previous, value, failure)
            else:
                context.run(listener.notify, previous, value, failure)
            listener = next(rest, None)


def _notify_alike(
    context: Context,
    listener: Listener,
    rest: Iterator[Listener],
    previous: Any,
    value: Any,
    failure: Exception | None,
) -> Listener | None:
    """Call listeners in a new context, and return the first that needs another."""
    listener.notify(previous, value, failure)
    for other in rest:
        if context or other.context is not NO_VARIABLES:
            return other
        other.notify(previous, value, failure)
    return None


def _notify_itself(
    node: Element, previous: Any, value: Any, failure: Exception | None, listeners: Iterable[SelfListener]
) -> None:
    for on_change, on_error in listeners:
        if failure is None:
            guarded(node, on_change, previous, value)
        elif on_error is not None:
            guarded(node, on_error, failure)


def _notify(
    node: Element,
    previous: Any,
    value: Any,
    failure: Exception | None,
    first: bool,
    listeners: tuple[Listener, ...],
    self_listeners: Iterable[SelfListener],
    mutation: Any,
) -> None:
    if self_listeners:
        _notify_itself(node, previous, value, failure, self_listeners)
    notify_listeners(node, listeners, previous, value, failure)
    for observer in node.host.observers:
        if first:
            _tell(node, observer.did_add_provider, mutation, node.notifier, value)
        else:
            _tell(node, observer.did_update_provider, mutation, node.notifier, previous, value)


def tell_observers(node: Element, event: str) -> None:
    """Call a method of every observer that takes only the context."""
    scheduler = node.host.scheduler
    for observer in node.host.observers:
        arguments = (node, getattr(observer, event), current_mutation.get(), node.notifier)
        scheduler.callbacks.append((_tell, arguments))


def _tell(node: Element, method: Any, mutation: Any, notifier: Any, *arguments: Any) -> None:
    """Call an observer's method; an error in it does not affect other observers."""
    if not node.provider.synthetic:
        context = ProviderObserverContext(node.host, node.provider, mutation, notifier)
        guarded(node, method, context, *arguments)


def guarded(node: Element, callback: Any, *arguments: Any) -> None:
    """Call a callback; an exception is reported to the container and does not affect other callbacks."""
    try:
        call(callback, *arguments)
    except BaseException as error:
        node.host.report(error, node.provider)

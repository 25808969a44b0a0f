"""Telling listeners and observers what has happened, once no build runs that could be surprised."""

from __future__ import annotations

from functools import partial
from typing import Any

from .callbacks import call
from .element import NO_VALUE, Element
from .lifecycle import Hooks, SelfListener
from .observer import ProviderObserverContext, current_mutation
from .states import BUILDING


def report_failure(node: Element, error: Exception) -> None:
    """Let observers and ``on_error`` see an original error, once, after they saw the state it led to."""
    report = partial(_report_failure, node, error)
    if node.state == BUILDING:
        report = partial(_afterwards, node, report)  # the state that this build leads to is not announced yet
    _say(node, report)


def _afterwards(node: Element, message: partial[None]) -> None:
    node.host.scheduler.announcements.append(message)


def _report_failure(node: Element, error: Exception) -> None:
    host = node.host
    for observer in host.observers:
        tell(node, observer.provider_did_fail, error)
    host.report(error, node.provider)


def announce(node: Element, previous: Any, *, first: bool = False) -> None:
    """Tell listeners and observers of a change: now if no build runs, else when the outermost has ended.

    Args:
        node: what changed.
        previous: the value before.
        first: whether this is the first build.
    """
    _keep_hooks(node)
    _say(node, partial(_tell, node, previous, node.value, node.failure, first))


def announce_unchanged(node: Element, previous: Any) -> None:
    """Tell only those who listen to their own state: they hear of each build and each new state (Riverpod)."""
    _keep_hooks(node)
    if node.ref.hooks is not None and node.ref.hooks.self_listeners:
        _say(node, partial(_tell_itself, node, None if previous is NO_VALUE else previous, node.value, None))


def _keep_hooks(node: Element) -> None:
    """Have observers told when this build ends: only what has hooks is asked to end."""
    if node.host.observers and node.ref is not None and node.ref.hooks is None:
        node.ref.hooks = Hooks()


def _say(node: Element, message: partial[None]) -> None:
    scheduler = node.host.scheduler
    scheduler.announcements.append(message)
    if scheduler.building is None and scheduler.depth <= 1:
        scheduler.announce()


def _tell_itself(node: Element, previous: Any, value: Any, failure: Exception | None) -> None:
    if node.ref is not None and node.ref.hooks is not None:
        listeners: list[SelfListener] = node.ref.hooks.self_listeners or []
        for on_change, on_error in tuple(listeners):
            if failure is None:
                _guarded(node, on_change, previous, value)
            elif on_error is not None:
                _guarded(node, on_error, failure)


def _tell(node: Element, previous: Any, value: Any, failure: Exception | None, first: bool) -> None:
    if previous is NO_VALUE:
        previous = None
    if value is NO_VALUE:
        value = None
    _tell_itself(node, previous, value, failure)
    for listener in node.listeners:
        # Who made the provider be built has its value already; weak listeners did not.
        if not first or listener.weak:
            listener.notify(previous, value, failure)
    for observer in node.host.observers:
        if first:
            tell(node, observer.did_add_provider, value)
        else:
            tell(node, observer.did_update_provider, previous, value)


def tell(node: Element, method: Any, *arguments: Any) -> None:
    """Call an observer's method; an error in it stops nobody."""
    if node.provider.synthetic:
        return
    context = ProviderObserverContext(node.host, node.provider, current_mutation.get(), node.notifier)
    _guarded(node, method, context, *arguments)


def _guarded(node: Element, callback: Any, *arguments: Any) -> None:
    try:
        call(callback, *arguments)
    except Exception as error:
        node.host.report(error, node.provider)

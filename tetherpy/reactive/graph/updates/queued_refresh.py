"""Refresh the nodes that a turn has queued, each in the context of its listener."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import Context

from ..element import NO_VARIABLES, Element
from ..nested_builds import TooDeepError
from ..node_states import DIRTY, DISPOSED
from ..scheduler import Scheduler
from ..users import context_of
from .build import build
from .deep_chains import build_in_segments
from .failure import fail
from .update import update


def refresh_queued(node: Element, rest: Iterator[Element], scheduler: Scheduler[Element]) -> Element | None:
    """Bring a node up to date and then others from ``rest``, except those that no active listener needs.

    Each runs in the context of its first active listener, not in that of the change. Nodes that need no context
    variables share one new context, as long as none is set in it and no callback waits to be called.

    Returns:
        The node for the next call, already taken from ``rest``; None after the last one.
    """
    context = node.context
    if context is None:
        context = context_of(node)
    if context is NO_VARIABLES:
        context = Context()
    if context is None:
        return _refresh_alike(None, node, rest, scheduler)
    return context.run(_refresh_alike, context, node, rest, scheduler)


def _refresh_alike(
    context: Context | None, node: Element, rest: Iterator[Element], scheduler: Scheduler[Element]
) -> Element | None:
    while True:
        state = node.state
        if state > 0 and node.active:
            try:
                if state == DIRTY:
                    build(node)
                elif state != DISPOSED:
                    update(node)
            except BaseException as error:
                _recover(node, error)
        following = next(rest, None)
        if following is None or context or scheduler.callbacks or following.context is not NO_VARIABLES:
            return following
        node = following


def _recover(node: Element, error: BaseException) -> None:
    """Complete a refresh that was too deep for Python's stack; after another interruption the next change repeats it.

    Raises:
        BaseException: the interruption, unless it is a function's own recursion, which is reported.
    """
    if isinstance(error, TooDeepError):
        try:
            build_in_segments(node, error)
        except BaseException as other:
            error = other
        else:
            return
    # A turn starts on a shallow stack, so this RecursionError comes from the provider's own function.
    if isinstance(error, RecursionError) and node.flow is None and node.state == DIRTY:
        fail(node, error, first=False)
        return
    if node.flow is not None:
        node.flow.give_up(error)
    node.host.scheduler.interrupted.append(node)
    if not isinstance(error, RecursionError):
        raise error
    node.host.report(error, node.provider)

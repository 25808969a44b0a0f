"""Invalidation: ending the current build of a provider, with a reason."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial

import attrs

from ..errors import ChangeDuringBuildError
from ..lifecycle.context_managers import Unwinding, leave_managers
from ..lifecycle.hooks import Event, Hooks
from ..lifecycle.teardown import Teardown
from .announcements import guarded, tell_observers
from .element import Build, Element
from .marking import mark_maybe
from .node_states import DIRTY, ENDING
from .users import request_disposal


@attrs.frozen
class Invalidation:
    """The reason of a rebuild without a changed dependency.

    Attributes:
        by: the caller, as text for ``explain``.
        as_reload: whether the provider treats it as a changed dependency.
        manual: whether a user requested it, so that ``on_manual_invalidation`` is called.
    """

    by: str
    as_reload: bool = False
    manual: bool = True


def invalidate(node: Element, reason: Invalidation) -> None:
    """End the current build now; the node is rebuilt on the next turn if it has listeners, else on read."""
    scheduler = node.host.scheduler
    if scheduler.interrupted:
        scheduler.queue_interrupted()
        if not scheduler.depth:
            scheduler.request()
    if node.state >= DIRTY or node.ref is None:
        if reason.as_reload and node.state == DIRTY:
            node.cause = reason
        return
    if scheduler.building is not None:
        raise ChangeDuringBuildError(node.provider, scheduler.building.provider)
    scheduler.depth += 1
    try:
        if reason.manual and node.ref.hooks is not None and node.ref.hooks.events is not None:
            for callback in tuple(node.ref.hooks.events.get(Event.INVALIDATE, {}).values()):
                guarded(node, callback)
            if node.state >= DIRTY or node.ref is None:
                return  # a callback has invalidated or disposed it
        node.cause = reason
        mark_maybe(node)
        if node.ref.hooks is not None or node.flow is not None:
            end_build(node)
        node.state = DIRTY
        if node.listeners:
            scheduler.queue.append(node)
        request_disposal(node)
    finally:
        scheduler.leave()


def leave_failed(node: Element, hooks: Hooks, error: BaseException) -> Awaitable[object] | None:
    """Leave the context managers of a build that failed, with its error; disposers wait for the end of the build.

    Returns:
        An awaitable to await before the next call, or None if all of them were left.
    """
    if not hooks.closers:
        return None
    report = partial(node.host.report, provider=node.provider)
    return node.host.scheduler.outside_builds(partial(leave_managers, hooks.closers, Unwinding(error), report))


def end_build(node: Element) -> None:
    """Run the disposers of the current build; the node is ENDING during this, and its Ref cannot be used.

    A disposer can read neither this node nor a node that depends on it.
    """
    ref, node.ref = node.ref, None
    hooks: Hooks | None
    hooks, ref.hooks = ref.hooks, None
    node.state = ENDING
    flow = node.flow
    if (flow is None or flow.done) and (hooks is None or not hooks.has_to_undo):
        if hooks is not None:
            hooks.close()
        if flow is not None:
            flow.stop()
    else:
        teardown = Teardown(node, hooks)
        if hooks is not None:
            hooks.close()
        node.host.scheduler.outside_builds(partial(_tear_down, node, teardown, ref))
    node.ref = ref
    if hooks is not None and node.host.observers:
        tell_observers(node, "did_dispose_provider")


def _tear_down(node: Element, teardown: Teardown, ref: Build) -> None:
    if node.flow is not None:
        node.flow.stop(teardown)
    teardown.start(ref)

"""Ending a build before its time, and why."""

from __future__ import annotations

from functools import partial

import attrs

from .announcing import tell
from .edges import (
    let_go,
    mark_maybe,
)
from .element import Element
from .errors import (
    ChangeDuringBuildError,
)
from .lifecycle import Event
from .states import DIRTY, DISPOSED


@attrs.frozen
class Invalidation:
    """Why a provider was rebuilt though nothing it depends on had changed.

    Attributes:
        by: who asked for it, in words.
        as_reload: whether the provider is to treat it as a changed dependency.
        manual: whether somebody asked for it, so that ``on_manual_invalidation`` is called.
    """

    by: str
    as_reload: bool = False
    manual: bool = True


def invalidate(node: Element, reason: Invalidation) -> None:
    """End the current build now and have the node built again: on the next turn if it has listeners, else on read."""
    scheduler = node.host.scheduler
    if node.state in (DIRTY, DISPOSED) or node.ref is None:
        if reason.as_reload and node.state == DIRTY:
            node.cause = reason
        return
    if scheduler.building is not None:
        raise ChangeDuringBuildError(node.provider, scheduler.building.provider)
    node.state = DIRTY
    node.cause = reason
    scheduler.depth += 1
    try:
        if node.ref.hooks is not None:
            if reason.manual:
                node.ref.hooks.fire(Event.INVALIDATE, partial(node.host.report, provider=node.provider))
            end_build(node)
        if node.flow is not None:
            node.flow.stop()
        if node.listeners:
            scheduler.queue.append(node)
        mark_maybe(node)
        let_go(node)
    finally:
        scheduler.leave()


def end_build(node: Element) -> None:
    """Run what the current build asked to have undone; its Ref cannot be used meanwhile."""
    host = node.host
    ref, node.ref = node.ref, None
    hooks, ref.hooks = ref.hooks, None
    pending = hooks.end(partial(host.report, provider=node.provider))
    if node.ref is None:
        node.ref = ref
    for work in pending:
        host.in_background(work, node.provider)
    for observer in host.observers:
        tell(node, observer.did_dispose_provider)

"""Set the value of a node from outside: the state of a notifier, or the result of a task."""

from __future__ import annotations

from threading import get_ident
from typing import Any

from ...errors import ChangeDuringBuildError, UnmountedRefError, WrongThreadError
from ...lifecycle.running_loop import running_loop
from ...values.comparison import is_same
from ..announcements import announce, announce_unchanged
from ..element import Element
from ..marking import UNSEEN, mark
from ..node_states import CLEAN, FAILED
from ..retries.node_retries import stop_retrying
from .build import differs


def check_settable(node: Element) -> None:
    """Check that the value of a node can be set now; call it before changing what goes with the value.

    Raises:
        WrongThreadError: called from another thread.
        UnmountedRefError: the node was disposed.
        ChangeDuringBuildError: another node is being built.
    """
    scheduler = node.host.scheduler
    if get_ident() != scheduler.thread:
        raise WrongThreadError(node.host)
    if node.ref is None:
        raise UnmountedRefError(node.provider)
    building = scheduler.building
    if building is not None and building is not node:
        raise ChangeDuringBuildError(node.provider, building.provider)


def set_value(node: Element, value: Any, *, seen: Any = UNSEEN) -> None:
    """Take over a value from outside, such as a notifier's state, and notify the listeners now.

    Observers whose value is ``seen`` are not marked (see ``mark``). It raises as ``check_settable`` does.
    """
    host = node.host
    scheduler = host.scheduler
    if get_ident() != scheduler.thread:
        raise WrongThreadError(host)
    loop = running_loop()
    if loop is not scheduler.loops.served:
        if loop is not None:
            scheduler.loops.serve()
        elif scheduler.loops.inbox and not scheduler.depth:
            # The calls of other threads come after the change: before it, they would change what it was made from.
            scheduler.depth = 1
            try:
                set_value(node, value, seen=seen)
            finally:
                scheduler.leave()
            return
    if node.ref is None or scheduler.building is not None:
        check_settable(node)
        node.value = value  # by its own build
        return
    previous = node.value
    node.value = value
    try:
        # A plain True, the usual result, needs no further look.
        if (
            (unequal := value != previous) is not True and is_same(previous, value, unequal)
            if node.differs is None
            else not differs(node, previous)
        ):
            if value is not previous and node.ref.hooks is not None:
                announce_unchanged(node, previous)
                if not scheduler.depth:
                    scheduler.depth = 1
                    scheduler.leave()
            return
    except Exception:  # noqa: S110  an == that raises counts as a change
        pass
    if node.failure is not None:
        node.failure = None
        if node.state == FAILED:
            node.state = CLEAN
        if node.flow is None:
            stop_retrying(node)  # the next try would replace what was set
    if scheduler.interrupted:
        scheduler.queue_interrupted()
    if node.observers:
        mark(node, previous, seen)
    if node.listeners or host.observers or node.ref.hooks is not None:
        announce(node, previous)
        if not scheduler.depth:
            scheduler.depth = 1
            scheduler.leave()
    elif scheduler.queue and not scheduler.depth:
        if loop is None:
            scheduler.settle()
        else:
            scheduler.request()

"""Read a node, bringing it up to date first."""

from __future__ import annotations

from threading import get_ident
from typing import Any

from ...errors import ProviderError, WrongThreadError
from ...lifecycle.running_loop import running_loop
from ..element import Element
from ..nested_builds import TooDeepError
from ..node_states import DIRTY
from .build import build
from .deep_chains import build_in_segments
from .update import update


def read(element: Element) -> Any:
    """Return the element's current value, bringing it up to date first; raise ProviderError if it failed.

    Without an event loop an operation disposes unused providers at its end, and a caller outside the graph needs the
    value before that. So a read is an operation if none is under way.
    """
    if element.state > 0:
        scheduler = element.host.scheduler
        if scheduler.depth:
            refresh(element)
        else:
            scheduler.depth = 1
            try:
                refresh(element)
                return _content(element)
            finally:
                scheduler.leave()
    return element.value if element.failure is None else _content(element)


def read_state(element: Element) -> Any:
    """Return the value as ``read`` does, for a call from outside the graph.

    Raises:
        WrongThreadError: called from another thread.
    """
    scheduler = element.host.scheduler
    if get_ident() != scheduler.thread:
        raise WrongThreadError(element.host)
    loops = scheduler.loops
    if running_loop() is not loops.served:
        loops.serve()
    return read(element) if element.state else element.value


def _content(element: Element) -> Any:
    if element.failure is not None:
        raise ProviderError(element.provider, element.failure)
    return element.value


def refresh(element: Element) -> None:
    """Bring an element up to date; a chain of first builds that is too deep for Python is built in segments.

    Raises:
        CircularDependencyError: it is needed for its own build.
        ProviderDisposedError: it, or something it depends on, was disposed.
        WrongThreadError: called from another thread.
    """
    if get_ident() != element.host.scheduler.thread:
        raise WrongThreadError(element.host)
    try:
        if element.state == DIRTY:
            build(element)
        else:
            update(element)
    except TooDeepError as deep:
        build_in_segments(element, deep)

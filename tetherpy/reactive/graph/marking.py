"""Mark the nodes behind a change; no user code runs during this."""

from __future__ import annotations

from typing import Any, Final

from ..values.value_records import PLAIN, change_of
from .element import Change, Element
from .node_states import CHECK, DIRTY

UNSEEN: Final = object()
"""An object that is the value of no node."""


def mark(changed: Element, previous: object, seen: Any = UNSEEN) -> None:
    """Mark the observers of a changed node DIRTY and everything behind them CHECK; queue what has listeners.

    Observers whose value is ``seen`` are not marked: the change does not affect them.
    """
    scheduler = changed.host.scheduler
    scheduler.changes += 1
    observers = changed.observers
    if seen is not UNSEEN:
        observers = [node for node in observers if node.value is not seen]
        if not observers:
            return
    queue = scheduler.queue
    value = changed.value
    kind = type(previous)
    if kind is type(value) and (kind is int or kind in PLAIN):
        cause: Change = (changed.provider, previous, value)  # change_of(), inlined for the usual case
    else:
        cause = change_of(changed, previous, value)
    todo: list[Any] = []
    for node in observers:
        state = node.state
        if state < DIRTY:
            node.state = DIRTY
            node.cause = cause
            if state <= 0:
                if node.listeners:
                    queue.append(node)
                if node.observers:
                    todo.append(node.observers)
    if todo:
        _mark_behind(todo, queue)


def mark_maybe(element: Element) -> None:
    """Mark everything behind an invalidated node CHECK; queue what has listeners."""
    if element.observers:
        element.host.scheduler.changes += 1
        _mark_behind([element.observers], element.host.scheduler.queue)


def _mark_behind(todo: list[Any], queue: list[Element]) -> None:
    while todo:
        for node in todo.pop():
            if node.state <= 0:
                node.state = CHECK
                if node.listeners:
                    queue.append(node)
                if node.observers:
                    todo.append(node.observers)

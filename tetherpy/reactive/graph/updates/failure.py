"""Put a node in error."""

from __future__ import annotations

from ...values.failures import is_of_others, is_still_loading
from ...values.value_records import change_of
from ..announcements import announce, report_failure
from ..element import NO_VALUE, Element
from ..node_states import BUILDING, CHECK, DIRTY, FAILED
from ..retries.node_retries import schedule_retry
from ..users import request_disposal


def fail(node: Element, error: Exception, *, first: bool) -> None:
    """Put a node in error: its dependents are marked, and the error is reported once."""
    previous = node.value
    node.state = FAILED
    node.failure = error
    node.value = NO_VALUE
    if node.observers:
        cause = change_of(node, previous, error)
        for observer in node.observers:
            if observer.state != BUILDING:
                observer.state = DIRTY
                observer.cause = cause
    announce(node, previous, first=first)
    if not (is_still_loading(error) and waits_for_source(node)):
        if not is_of_others(error):
            report_failure(node, error)
        schedule_retry(node, error)
    if node.provider.settings.auto_dispose:
        request_disposal(node)


def waits_for_source(node: Element) -> bool:
    """Whether a source of a node is loading or about to change, so that the node is going to be rebuilt."""
    building = node.state == BUILDING
    todo = [*node.sources[: node.idx], *(node.fresh or ())] if building else list(node.sources)
    while todo:
        source = todo.pop()
        if source.state > 0 or (source.failure is not None and is_still_loading(source.failure)):
            return True
        if source.flow is not None:
            if source.value.is_loading:
                return True
        elif source.provider.ephemeral:
            todo.extend(source.sources)
    return node.state in (CHECK, DIRTY)

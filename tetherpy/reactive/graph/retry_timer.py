"""Trying again: when a failed provider is built once more by itself."""

from __future__ import annotations

from .element import Element
from .invalidation import Invalidation, invalidate
from .retry import Retrying


def schedule_retry(node: Element, error: Exception) -> bool:
    """Ask the retry policy whether to build again; return whether that will happen by itself."""
    provider = node.provider
    if provider.ephemeral:
        return False
    policy = node.host.retry if provider.retry is None else provider.retry
    if policy is None:
        return False
    table = node.host.scheduler.retries
    retries = table.get(node)
    if retries is None or node.ref.is_reload:
        # A changed dependency is a new situation: counting begins again (Riverpod).
        retries = table[node] = _fresh(retries)
    try:
        return retries.schedule(
            policy,
            error,
            lambda: invalidate(node, Invalidation("retry", manual=False)),
            node.host.scheduler.timers,
        )
    except Exception as broken:
        node.host.report(broken, provider)
        return False


def pause_retrying(node: Element) -> None:
    """Forget the next try, but not how many there were."""
    retries = node.host.scheduler.retries.get(node)
    if retries is not None:
        retries.cancel()


def stop_retrying(node: Element) -> None:
    """Forget the next try and the count: the node has succeeded, or is gone."""
    retries = node.host.scheduler.retries.pop(node, None)
    if retries is not None:
        retries.cancel()


def _fresh(retries: Retrying | None) -> Retrying:
    if retries is not None:
        retries.cancel()
    return Retrying()

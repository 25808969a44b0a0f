"""Schedule and cancel the retries of failed nodes."""

from __future__ import annotations

from ..element import Element
from ..invalidation import Invalidation, invalidate
from .retry_timer import RetryTimer


def schedule_retry(node: Element, error: Exception) -> bool:
    """Schedule a retry if the retry policy says so; return whether one is scheduled."""
    provider = node.provider
    if provider.ephemeral:
        return False
    policy = node.host.retry if provider.retry is None else provider.retry
    if policy is None:
        return False
    table = node.host.scheduler.retries
    retries = table.get(node)
    if retries is None or node.ref.is_reload:
        # After a dependency has changed, the count starts again at 0 (Riverpod).
        retries = table[node] = _fresh(retries)
    try:
        return retries.schedule(
            policy,
            error,
            lambda: invalidate(node, Invalidation("retry", manual=False)),
            node.host.scheduler.loops.timers,
        )
    except Exception as broken:
        node.host.report(broken, provider)
        return False


def pause_retrying(node: Element) -> None:
    """Cancel the next retry, but keep the count."""
    retries = node.host.scheduler.retries.get(node)
    if retries is not None:
        retries.cancel()


def stop_retrying(node: Element) -> None:
    """Cancel the next retry and reset the count, because the node has succeeded or was disposed."""
    retries = node.host.scheduler.retries.pop(node, None)
    if retries is not None:
        retries.cancel()


def _fresh(retries: RetryTimer | None) -> RetryTimer:
    if retries is not None:
        retries.cancel()
    return RetryTimer()

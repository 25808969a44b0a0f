"""The job manager that a JobProvider uses: of a ``Provider``, or of a ``FutureProvider`` that opens a database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypeAlias, TypeVar

from tetherpy.jobs import BackgroundJobManager
from tetherpy.reactive import AsyncError, AsyncLoading, AsyncValue, ProviderListenable, Ref

T = TypeVar("T")

ManagerSource: TypeAlias = (
    ProviderListenable[BackgroundJobManager] | ProviderListenable[AsyncValue[BackgroundJobManager]]
)
"""A provider of the app's manager, synchronous or asynchronous."""


def watch_manager(ref: Ref, source: ManagerSource) -> BackgroundJobManager | AsyncValue[Any]:
    """Return the manager; while there is none, the state to show: loading, or the error of the opening.

    A reload that keeps the manager builds nothing again.
    """
    listenable: ProviderListenable[Any] = source
    found: BackgroundJobManager | AsyncValue[Any] = ref.watch(listenable.select(_manager_or_state))
    return found


def _manager_or_state(value: BackgroundJobManager | AsyncValue[BackgroundJobManager]) -> Any:
    if not isinstance(value, AsyncValue):
        return value
    if value.has_value:
        return value.value
    return AsyncLoading[Any]() if value.error is None else AsyncError[Any](value.error)


async def states_without_manager(state: AsyncValue[T]) -> AsyncIterator[AsyncValue[T]]:
    """Yield the state; while the manager is being opened, end only with the build."""
    yield state
    if isinstance(state, AsyncLoading):
        await asyncio.get_running_loop().create_future()

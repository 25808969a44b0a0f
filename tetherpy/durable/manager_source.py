"""The job manager of an app: of a ``Provider``, or of a ``FutureProvider`` that opens a database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypeAlias, TypeVar

from tetherpy.jobs import BackgroundJobManager, JobArgumentError
from tetherpy.reactive import AsyncError, AsyncLoading, AsyncValue, Provider, ProviderListenable, Ref

T = TypeVar("T")

ManagerSource: TypeAlias = (
    ProviderListenable[BackgroundJobManager] | ProviderListenable[AsyncValue[BackgroundJobManager]]
)
"""A provider of the app's manager, synchronous or asynchronous."""


def to_manager_source(name: str, given: object) -> ProviderListenable[Any]:
    """Return a provider of the manager; raise ``JobArgumentError`` for anything else, such as the manager itself."""
    if not isinstance(given, ProviderListenable):
        remedy = ": Provider(lambda ref: manager)" if isinstance(given, BackgroundJobManager) else ""
        raise JobArgumentError(name, given, f"it must be a Provider or a FutureProvider of the app's manager{remedy}")
    return given  # pyright: ignore[reportUnknownVariableType] - a class has no type arguments at run time


def opened_manager(name: str, given: ManagerSource) -> ProviderListenable[BackgroundJobManager]:
    """Return a provider that has the manager itself as soon as it is open, and is not ready before."""
    source = to_manager_source(name, given)
    if isinstance(source, Provider):
        manager: ProviderListenable[BackgroundJobManager] = source
        return manager

    def opened(ref: Ref) -> BackgroundJobManager:
        value: BackgroundJobManager | AsyncValue[BackgroundJobManager] = ref.watch(source)
        return value.require_value if isinstance(value, AsyncValue) else value

    return Provider(opened, name=source.name, auto_dispose=True)


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

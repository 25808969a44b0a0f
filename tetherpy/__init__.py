"""tetherpy: reactive providers and durable background jobs for stateful Python apps.

Everything that an app declares and calls can be imported from here; what a process does not use is not loaded.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import TetherError
    from .reactive import (
        AsyncData,
        AsyncError,
        AsyncLoading,
        AsyncNotifier,
        AsyncNotifierProvider,
        AsyncResult,
        AsyncState,
        AsyncValue,
        FutureProvider,
        KeepAliveLink,
        Notifier,
        NotifierProvider,
        Override,
        Provider,
        ProviderContainer,
        ProviderError,
        ProviderListenable,
        ProviderObserver,
        ProviderObserverContext,
        ProviderSubscription,
        Ref,
        StateProvider,
        StreamNotifier,
        StreamNotifierProvider,
        StreamProvider,
        exponential_retry,
        never,
    )

__all__ = [
    "AsyncData",
    "AsyncError",
    "AsyncLoading",
    "AsyncNotifier",
    "AsyncNotifierProvider",
    "AsyncResult",
    "AsyncState",
    "AsyncValue",
    "FutureProvider",
    "KeepAliveLink",
    "Notifier",
    "NotifierProvider",
    "Override",
    "Provider",
    "ProviderContainer",
    "ProviderError",
    "ProviderListenable",
    "ProviderObserver",
    "ProviderObserverContext",
    "ProviderSubscription",
    "Ref",
    "StateProvider",
    "StreamNotifier",
    "StreamNotifierProvider",
    "StreamProvider",
    "TetherError",
    "exponential_retry",
    "never",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "errors" if name == "TetherError" else "reactive"
    value: object = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__

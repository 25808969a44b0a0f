"""ProviderObserver: be told of everything that happens in a container."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final

import attrs

current_mutation: Final[ContextVar[Any]] = ContextVar("current_mutation", default=None)
"""The mutation on whose behalf the current task works: observers are told of it."""


@attrs.frozen
class ProviderObserverContext:
    """Where something happened.

    Attributes:
        container: the ProviderContainer.
        provider: the provider, or None for events of the container itself.
        mutation: the Mutation that caused it, if one did.
        notifier: the provider's notifier, if it has one.
    """

    container: Any
    provider: Any = None
    mutation: Any = None
    notifier: Any = None


class ProviderObserver:
    """Override the methods you want to be told of; an error that one raises goes to the container's on_error."""

    def did_create_provider_container(self, context: ProviderObserverContext) -> None:
        """Called when a container was created."""

    def did_dispose_provider_container(self, context: ProviderObserverContext) -> None:
        """Called when a container was disposed."""

    def did_add_provider(self, context: ProviderObserverContext, value: Any) -> None:
        """Called after a provider's first build, with its value (None if that failed)."""

    def did_update_provider(self, context: ProviderObserverContext, previous: Any, value: Any) -> None:
        """Called after a provider's value changed."""

    def provider_did_fail(self, context: ProviderObserverContext, error: Exception) -> None:
        """Called once for each failure of a provider, synchronous or asynchronous."""

    def did_dispose_provider(self, context: ProviderObserverContext) -> None:
        """Called whenever a build of a provider ends: before a rebuild, and when it is disposed."""

    def did_unmount_provider(self, context: ProviderObserverContext) -> None:
        """Called when a provider was disposed and left the container."""

    def mutation_start(self, context: ProviderObserverContext, mutation: Any) -> None:
        """Called when a mutation begins to run."""

    def mutation_success(self, context: ProviderObserverContext, mutation: Any, value: Any) -> None:
        """Called when a mutation ended with a value."""

    def mutation_error(self, context: ProviderObserverContext, mutation: Any, error: Exception) -> None:
        """Called when a mutation raised."""

    def mutation_reset(self, context: ProviderObserverContext, mutation: Any) -> None:
        """Called when a mutation went back to idle."""

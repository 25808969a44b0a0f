"""``ProviderObserver``: notifications of all events in a container."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final

import attrs

current_mutation: Final[ContextVar[Any]] = ContextVar("current_mutation", default=None)
"""The mutation that the current task runs for; observers get it in their context."""


@attrs.frozen
class ProviderObserverContext:
    """The place of an event.

    Attributes:
        container: the ProviderContainer.
        provider: the provider, or None for events of the container itself.
        mutation: the Mutation that caused the event, or None.
        notifier: the provider's notifier, or None.
    """

    container: Any
    provider: Any = None
    mutation: Any = None
    notifier: Any = None


class ProviderObserver:
    """Base of observers: override the methods for the events you need.

    An error raised by a method goes to the container's on_error.
    """

    def did_create_provider_container(self, context: ProviderObserverContext) -> None:
        """Called when a container was created."""

    def did_dispose_provider_container(self, context: ProviderObserverContext) -> None:
        """Called when a container was disposed."""

    def did_add_provider(self, context: ProviderObserverContext, value: Any) -> None:
        """Called after a provider's first build, with its value (None if the build failed)."""

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
        """Called when a mutation has returned a value."""

    def mutation_error(self, context: ProviderObserverContext, mutation: Any, error: Exception) -> None:
        """Called when a mutation has raised."""

    def mutation_reset(self, context: ProviderObserverContext, mutation: Any) -> None:
        """Called when a mutation was reset to idle."""

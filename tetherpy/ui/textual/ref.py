"""WidgetRef: the access of a widget to providers."""

from __future__ import annotations

from typing import Any, TypeVar, Unpack

import attrs

from tetherpy.reactive import (
    Family,
    ListenOptions,
    OnChange,
    ProviderBase,
    ProviderContainer,
    ProviderListenable,
    ProviderSubscription,
    Refreshable,
)

from ..watcher import Watcher

T = TypeVar("T")


@attrs.frozen
class WidgetRef:
    """The access to the providers of a widget's container; valid while the widget is mounted."""

    watcher: Watcher

    def watch(self, listenable: ProviderListenable[T]) -> T:
        """Return the current value, and rebuild the widget when it changes.

        Raises:
            ProviderError: the provider is in error; the widget is rebuilt when it recovers.
        """
        return self.watcher.watch(listenable)

    def listen(
        self, listenable: ProviderListenable[T], callback: OnChange[T], **options: Unpack[ListenOptions]
    ) -> ProviderSubscription[T]:
        """Call ``callback(previous, next)`` after each change, until the next build or the end of the widget.

        Arguments as ``ProviderContainer.listen``.
        """
        return self.watcher.listen(listenable, callback, **options)

    def read(self, listenable: ProviderListenable[T]) -> T:
        """Return the current value without watching it, for example in an event handler."""
        return self.container.read(listenable)

    def refresh(self, refreshable: Refreshable[T]) -> T:
        """Invalidate a provider, and read it immediately."""
        return self.container.refresh(refreshable)

    def invalidate(self, target: ProviderBase[Any] | Family[Any, Any, Any], *, as_reload: bool = False) -> None:
        """Rebuild a provider, or every member of a family."""
        self.container.invalidate(target, as_reload=as_reload)

    def exists(self, provider: ProviderBase[Any]) -> bool:
        """Whether the provider has been built."""
        return self.container.exists(provider)

    @property
    def container(self) -> ProviderContainer:
        """The container of the nearest scope above the widget."""
        return self.watcher.container

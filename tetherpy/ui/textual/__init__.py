"""Providers in terminal apps made with Textual: widgets that are built from them, and the screens of the jobs."""

from __future__ import annotations

from .consumer import Consumer, ConsumerWidget
from .errors import NoProviderScopeError
from .ref import WidgetRef
from .scope import ProviderApp, ProviderScope, container_of

__all__ = [
    "Consumer",
    "ConsumerWidget",
    "NoProviderScopeError",
    "ProviderApp",
    "ProviderScope",
    "WidgetRef",
    "container_of",
]

"""Providers in terminal apps made with Textual: widgets that are built from them, and the screens of the jobs.

The screens are imported when first used: an app that has only widgets of its own does not load them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .consumer import Consumer, ConsumerWidget
from .errors import NoProviderScopeError
from .ref import WidgetRef
from .scope import ProviderApp, ProviderScope, container_of

if TYPE_CHECKING:
    from .jobs import BackgroundServiceTab, JobsApp, JobStatusDashboard

__all__ = [
    "BackgroundServiceTab",
    "Consumer",
    "ConsumerWidget",
    "JobStatusDashboard",
    "JobsApp",
    "NoProviderScopeError",
    "ProviderApp",
    "ProviderScope",
    "WidgetRef",
    "container_of",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(".jobs", __name__), name)
    globals()[name] = value
    return value

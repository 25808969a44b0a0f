"""Providers in terminal apps made with Textual: widgets that are built from them, and the screens of the jobs.

The screens are imported when first used: an app that has only widgets of its own does not load them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tetherpy.lazy_facade import lazy_facade

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

__getattr__ = lazy_facade(__name__, __all__, {}, others="jobs")

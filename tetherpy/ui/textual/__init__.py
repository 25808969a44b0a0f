"""Providers in Textual apps: widgets that are built from providers, and the job screens.

The job screens are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tetherpy.facades import lazy_facade

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

if not TYPE_CHECKING:  # type checkers report the names that are not public
    __getattr__, __dir__ = lazy_facade(__name__, __all__, {}, others="jobs")

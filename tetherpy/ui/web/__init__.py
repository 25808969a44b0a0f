"""The dashboard: a live page to inspect and manage jobs and workers.

It is an ASGI app (extra ``web``): mount it in another, or serve it with ``tetherpy dashboard``.
"""

from __future__ import annotations

from tetherpy.facades import facade_dir

from .app import dashboard
from .errors import DashboardError, DashboardExposedError, WeakTokenError
from .security.access_policy import Authorize
from .security.host_and_origin import LOCAL_HOSTS
from .server import ClientTimeouts, serve, serve_unix

__all__ = [
    "LOCAL_HOSTS",
    "Authorize",
    "ClientTimeouts",
    "DashboardError",
    "DashboardExposedError",
    "WeakTokenError",
    "dashboard",
    "serve",
    "serve_unix",
]

__dir__ = facade_dir(__all__)

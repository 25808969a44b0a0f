"""The dashboard: a page that shows the jobs, their workers and what both do, live, and steers them.

It is an ASGI app (extra ``tetherpy[web]``), to be mounted in another or served by ``tetherpy dashboard``.
"""

from __future__ import annotations

from .app import dashboard
from .errors import DashboardError, DashboardExposedError, WeakTokenError
from .security.access import Authorize
from .security.request_headers import LOCAL_HOSTS
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

"""Providers in Starlette apps: a container for the app and one for each request (extra: ``starlette``)."""

from tetherpy.facades import facade_dir

from .app_lifespan import lifespan
from .connections import connection_provider, request_provider, websocket_provider
from .containers import app_container, container_of, opened_container, opening
from .errors import NoAppContainerError, NoRequestContainerError, WebAppError, WrongConnectionError
from .middleware import RequestScopeMiddleware

__all__ = [
    "NoAppContainerError",
    "NoRequestContainerError",
    "RequestScopeMiddleware",
    "WebAppError",
    "WrongConnectionError",
    "app_container",
    "connection_provider",
    "container_of",
    "lifespan",
    "opened_container",
    "opening",
    "request_provider",
    "websocket_provider",
]

__dir__ = facade_dir(__all__)

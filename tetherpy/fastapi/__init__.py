"""Providers in FastAPI apps: ``Depends(watch(provider))``, a container for each request (extra: ``fastapi``)."""

from tetherpy.facades import facade_dir
from tetherpy.starlette import (
    NoAppContainerError,
    RequestScopeMiddleware,
    WebAppError,
    WrongConnectionError,
    connection_provider,
    lifespan,
    request_provider,
    websocket_provider,
)

from .dependencies import Watched, request_container, watch

__all__ = [
    "NoAppContainerError",
    "RequestScopeMiddleware",
    "Watched",
    "WebAppError",
    "WrongConnectionError",
    "connection_provider",
    "lifespan",
    "request_container",
    "request_provider",
    "watch",
    "websocket_provider",
]

__dir__ = facade_dir(__all__)

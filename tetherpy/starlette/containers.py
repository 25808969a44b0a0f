"""The container of the app, and one child container for each request."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from starlette.requests import HTTPConnection

from tetherpy.reactive import ProviderContainer

from .connections import SCOPE, connection_provider
from .errors import NoAppContainerError, NoRequestContainerError

APP_CONTAINER: Final = "container"
"""The name of the app's container in ``app.state``, and in the state that the lifespan gives to each request."""

REQUEST_CONTAINER: Final = "tetherpy.request_container"
"""The key of a request's container in its ASGI scope."""


def app_container(connection: HTTPConnection) -> ProviderContainer:
    """Return the container of the app, as started by ``lifespan`` or set as ``app.state.container``.

    Raises:
        NoAppContainerError: there is none.
    """
    scope = connection.scope
    container = scope.get("state", {}).get(APP_CONTAINER)
    if container is None and "app" in scope:
        container = getattr(scope["app"].state, APP_CONTAINER, None)
    if not isinstance(container, ProviderContainer):
        raise NoAppContainerError
    return container


def opened_container(connection: HTTPConnection) -> ProviderContainer | None:
    """Return the container of a request if it is open."""
    container: ProviderContainer | None = connection.scope.get(REQUEST_CONTAINER)
    return container


def container_of(connection: HTTPConnection) -> ProviderContainer:
    """Return the container of a request or websocket, opened by ``RequestScopeMiddleware``.

    Raises:
        NoRequestContainerError: the middleware is not installed.
    """
    container = opened_container(connection)
    if container is None:
        raise NoRequestContainerError
    return container


@asynccontextmanager
async def opening(connection: HTTPConnection) -> AsyncGenerator[ProviderContainer]:
    """Open the container of a request; it is closed with the error of the block."""
    overrides = [connection_provider.override_with_value(connection)]
    container = app_container(connection).child(scope=SCOPE, overrides=overrides)
    around = connection.scope.get(REQUEST_CONTAINER)
    connection.scope[REQUEST_CONTAINER] = container
    try:
        async with container:
            yield container
    finally:
        connection.scope[REQUEST_CONTAINER] = around

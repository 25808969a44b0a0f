"""Providers of the current request or websocket."""

from __future__ import annotations

from typing import TypeVar

from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from tetherpy.reactive import Provider, Ref

from .errors import WrongConnectionError

SCOPE = "request"
"""The scope that begins with each request and each websocket."""

C = TypeVar("C", bound=HTTPConnection)


def connection_provider_of_request(ref: Ref) -> HTTPConnection:
    """Return the current connection; every container of a request overrides this."""
    raise AssertionError("a request container overrides this provider")


connection_provider: Provider[HTTPConnection] = Provider(
    connection_provider_of_request, name="connection_provider", scope=SCOPE
)
"""The current request or websocket."""


@Provider.options(scope=SCOPE)
def request_provider(ref: Ref) -> Request:
    """The current request; an error in a websocket."""
    return _as(Request, ref.watch(connection_provider))


@Provider.options(scope=SCOPE)
def websocket_provider(ref: Ref) -> WebSocket:
    """The current websocket; an error in a request."""
    return _as(WebSocket, ref.watch(connection_provider))


def _as(kind: type[C], connection: HTTPConnection) -> C:
    if not isinstance(connection, kind):
        raise WrongConnectionError(kind.__name__, type(connection).__name__)
    return connection

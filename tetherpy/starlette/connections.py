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


def _connection(ref: Ref) -> HTTPConnection:
    raise AssertionError("every request container overrides connection_provider")


connection_provider = Provider(_connection, name="connection_provider", scope=SCOPE)
"""The current request or websocket."""


def _request(ref: Ref) -> Request:
    return _as(Request, ref.watch(connection_provider))


request_provider = Provider(_request, name="request_provider", scope=SCOPE)
"""The current request. Reading it in a websocket raises ``WrongConnectionError``."""


def _websocket(ref: Ref) -> WebSocket:
    return _as(WebSocket, ref.watch(connection_provider))


websocket_provider = Provider(_websocket, name="websocket_provider", scope=SCOPE)
"""The current websocket. Reading it in a request raises ``WrongConnectionError``."""


def _as(kind: type[C], connection: HTTPConnection) -> C:
    if not isinstance(connection, kind):
        raise WrongConnectionError(kind.__name__, type(connection).__name__)
    return connection

"""One container for each request of a Starlette app."""

from __future__ import annotations

from typing import Final

import attrs
from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from .containers import app_container, opened_container, opening

FIRST_ERROR_STATUS: Final = 400
BODIES: Final = frozenset(
    {"http.response.body", "http.response.pathsend", "http.response.zerocopysend", "websocket.http.response.body"}
)
"""The ASGI messages with a body; some are extensions, by which a server sends a file itself or refuses a websocket."""
STARTS: Final = frozenset({"http.response.start", "websocket.http.response.start"})
NORMAL_CLOSURES: Final = frozenset({1000, 1001})
"""The codes of RFC 6455 with which a websocket ends without an error."""
ABNORMAL_CLOSURE: Final = 1006


@attrs.define(eq=False)
class Ending:
    """Passes the ASGI messages of a request or websocket on, and notes how it ends."""

    _receive: Receive
    _send: Send
    _error: Exception | None = None
    _is_complete: bool = False

    async def receive(self) -> Message:
        """Receive a message."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self._is_complete = True
        return message

    async def send(self, message: Message) -> None:
        """Send a message."""
        kind = message["type"]
        if kind in STARTS and message["status"] >= FIRST_ERROR_STATUS:
            self._error = HTTPException(message["status"])
        elif kind in BODIES:
            self._is_complete = not message.get("more_body", False)
        elif kind == "websocket.close":
            self._is_complete = True
            code = message.get("code", 1000)
            if code not in NORMAL_CLOSURES:
                self._error = WebSocketException(code, message.get("reason"))
        await self._send(message)

    def error(self, *, is_http: bool) -> Exception | None:
        """Return the error that the messages tell of, for an app that has ended without an exception."""
        if self._error is not None or self._is_complete:
            return self._error
        return ClientDisconnect() if is_http else WebSocketDisconnect(ABNORMAL_CLOSURE)


class RequestScopeMiddleware:
    """Open a container for each request and websocket, and close it when the response has ended.

    Background tasks and streamed bodies belong to the response. The container is closed with the exception that ended
    the request. Starlette answers some exceptions before they reach a middleware, so the messages of the app count
    too, and transactions of the request are rolled back after

    - a response with a status of 400 or more (``HTTPException`` with this status);
    - a response whose client has left before its end (``ClientDisconnect``);
    - a websocket that the app closed with a code other than 1000 and 1001 (``WebSocketException`` with this code);
    - a websocket that neither the app nor the client has closed (``WebSocketDisconnect``).

    A request that has a container of this app already, as in an app that is mounted, keeps it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"} or _has_container(HTTPConnection(scope)):
            await self._app(scope, receive, send)
            return
        ending = Ending(receive, send)
        kind = Request if scope["type"] == "http" else WebSocket
        async with opening(kind(scope, ending.receive, ending.send)) as container:
            await self._app(scope, ending.receive, ending.send)
            error = ending.error(is_http=kind is Request)
            if error is not None:
                await container.aclose(error)


def _has_container(connection: HTTPConnection) -> bool:
    opened = opened_container(connection)
    return opened is not None and opened.parent is app_container(connection)

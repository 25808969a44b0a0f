"""One container for each request of a Starlette app."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from .containers import opening

FIRST_ERROR_STATUS = 400
BODIES = ("http.response.body", "http.response.pathsend", "http.response.zerocopysend")
"""The ASGI messages with a body; the last two are extensions, by which a server sends a file itself."""


class RequestScopeMiddleware:
    """Open a container for each request and websocket, and close it when the response has ended.

    Background tasks and streamed bodies belong to the response. The container is closed with the exception that ended
    the request. Starlette answers some exceptions before they reach a middleware, so a response with a status of 400
    or more closes it with an ``HTTPException`` of this status, and a client that has left before the end of the
    response closes it with ``ClientDisconnect``: transactions of the request are rolled back.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        status, complete = 0, False

        async def sending(message: Message) -> None:
            nonlocal status, complete
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] in BODIES:
                complete = not message.get("more_body", False)
            await send(message)

        is_http = scope["type"] == "http"
        connection = Request(scope, receive, sending) if is_http else WebSocket(scope, receive, sending)
        async with opening(connection) as container:
            await self._app(scope, receive, sending)
            if status >= FIRST_ERROR_STATUS:
                await container.aclose(HTTPException(status))
            elif is_http and not complete:
                await container.aclose(ClientDisconnect())

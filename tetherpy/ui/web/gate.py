"""The gate that every request passes: headers that bind browsers, then host, origin and identity."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import parse_qs

import attrs
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .access import Access

SAFE_METHODS = ("GET", "HEAD")
OPEN_TO_ALL = ("/static/", "/login")
"""What can be had without a login: the login page and how it looks."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    # With no-referrer browsers would send "Origin: null" with the forms of our own pages.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@attrs.frozen(eq=False)
class Gate:
    """Let requests to ``app`` that ``access`` welcomes, and harden all responses."""

    app: ASGIApp
    access: Access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                # Not no-store, with which browsers keep no page to go back to.
                headers.setdefault("cache-control", "private, no-cache")
            await send(message)

        connection = HTTPConnection(scope)
        refusal = await self._refusal(connection)
        answer = self.app if refusal is None else refusal
        await answer(scope, receive, send_hardened)

    async def _refusal(self, connection: HTTPConnection) -> Response | None:
        """Return the answer to a request that is not let through."""
        if not self.access.knows_host(connection):
            return _refuse(HTTPStatus.MISDIRECTED_REQUEST, "This dashboard has another name: check the Host header.")
        if connection.scope["method"] not in SAFE_METHODS and not self.access.is_same_origin(connection):
            return _refuse(HTTPStatus.FORBIDDEN, "This request does not come from a page of the dashboard.")
        if self._brings_token(connection):
            # Sent on to an address without it, which neither history nor logs keep.
            return log_in(self.access, connection)
        path = connection.scope["path"].removeprefix(connection.scope.get("root_path", ""))
        if path.startswith(OPEN_TO_ALL) or await self.access.admits(connection):
            return None
        return self._login(connection)

    def _brings_token(self, connection: HTTPConnection) -> bool:
        given = parse_qs(connection.scope["query_string"].decode("latin-1")).get("token", [""])[0]
        return connection.scope["method"] in SAFE_METHODS and self.access.is_token(given)

    def _login(self, connection: HTTPConnection) -> Response:
        if self.access.token is None:
            return _refuse(HTTPStatus.FORBIDDEN, "You may not use this dashboard.")
        root = connection.scope.get("root_path", "")
        if connection.scope["method"] in SAFE_METHODS and "text/html" in connection.headers.get("accept", ""):
            return RedirectResponse(f"{root}/login", HTTPStatus.SEE_OTHER)
        return _refuse(HTTPStatus.UNAUTHORIZED, "This dashboard needs its token.")


def log_in(access: Access, connection: HTTPConnection) -> Response:
    """Answer who has shown the token: remembered by a cookie, sent to the first page."""
    root = connection.scope.get("root_path", "")
    response = RedirectResponse(f"{root}/", HTTPStatus.SEE_OTHER)
    response.set_cookie(
        access.cookie_name,
        access.cookie_value,
        path=f"{root}/",
        secure=connection.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return response


def _refuse(status: HTTPStatus, reason: str) -> Response:
    return PlainTextResponse(f"{reason}\n", status)

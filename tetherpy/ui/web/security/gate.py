"""The middleware of every request: security headers, then checks of host, origin and identity."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import parse_qs

import attrs
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..health import HEALTH_PATH
from .access_policy import AccessPolicy
from .host_and_origin import host_of, is_same_origin
from .login_attempts import LoginAttempts
from .proxy_headers import is_encrypted, is_forwarded
from .sessions import Session

SAFE_METHODS = ("GET", "HEAD")
DECISIVE = ("host", "origin", "sec-fetch-site", "authorization", "content-type")
"""Headers that decide about access, which therefore must not be repeated."""

OPEN_TO_ALL = ("/static/", "/login")
"""Paths without a login: the login page and its static files."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'self'; frame-ancestors 'none'"
)
THROUGH_A_PROXY = (
    "This request came through a proxy, but this dashboard serves only its own machine. "
    "Start it with a token, or with authorize= and the login of the app."
)
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    # With no-referrer, browsers would send "Origin: null" with our own forms.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


SESSION = "tetherpy.session"
"""The key of the session in the scope of a request."""


@attrs.frozen(eq=False)
class Gate:
    """Passes admitted requests to ``app``, and adds security headers to all responses."""

    app: ASGIApp
    access: AccessPolicy
    login_attempts: LoginAttempts = attrs.field(factory=LoginAttempts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to the app, or reject it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        connection = HTTPConnection(scope)
        refusal = None if _is_probe(connection) else await self._refusal(connection)
        answer = self.app if refusal is None else refusal
        await answer(scope, receive, self._hardened(connection, send))

    def _hardened(self, connection: HTTPConnection, send: Send) -> Send:
        over = False

        async def send_hardened(message: Message) -> None:
            nonlocal over
            if over:
                return
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                # Not no-store: browsers could not show the page on "back".
                headers.setdefault("cache-control", "private, no-cache")
                self._renew(connection, headers)
            elif message.get("more_body") and self._is_over(connection):
                # A stream ends with its session; the page reconnects and is redirected to the login.
                over, message = True, {"type": "http.response.body", "body": b""}
            await send(message)

        return send_hardened

    def _renew(self, connection: HTTPConnection, headers: MutableHeaders) -> None:
        session: Session | None = connection.scope.get(SESSION)
        if session is None or self.access.sessions is None or self._is_over(connection):
            return
        if (cookie := self.access.sessions.renewed(session)) is not None:
            headers.append("set-cookie", _cookie(self.access, connection, cookie).headers["set-cookie"])

    def _is_over(self, connection: HTTPConnection) -> bool:
        return SESSION in connection.scope and self.access.session_of(connection) is None

    async def _refusal(self, connection: HTTPConnection) -> Response | None:
        """Return the response to a rejected request; None for an admitted one."""
        if (name := _repeated_header(connection)) is not None:
            return _refuse(HTTPStatus.BAD_REQUEST, f"The header {name} occurs more than once.")
        if host_of(connection) not in self.access.hosts:
            return _refuse(
                HTTPStatus.MISDIRECTED_REQUEST,
                "Unknown host. Check the Host header, or allow the name with hosts= or --name.",
            )
        shown = _tokens_in(connection)
        pause = self.login_attempts.pause(connection) if shown and self.access.token is not None else 0
        right = [name for name, token in shown.items() if not pause and self.access.is_token(token)]
        is_guess = bool(shown) and not right and self.access.token is not None
        if is_guess and not pause:
            # Count before the first await: other requests of the same sender may arrive during it.
            self.login_attempts.note(connection)
        is_safe = connection.scope["method"] in SAFE_METHODS
        if is_safe and "address" in right:
            # Redirect to a URL without the token, so that neither the history nor logs keep it.
            return log_in(self.access, connection)
        has_token, is_open = "header" in right, _path_of(connection).startswith(OPEN_TO_ALL)
        if not is_safe and not is_same_origin(connection, has_token=has_token):
            refusal = _refuse(
                HTTPStatus.FORBIDDEN, "Cross-origin request rejected: it does not come from a page of the dashboard."
            )
        elif has_token or is_open or await self._admits(connection):
            refusal = None
        else:
            refusal = self._login(connection, is_safe=is_safe)
        if is_guess and pause and (is_open or refusal is not None):
            return too_many_guesses(pause)
        if is_guess and not pause and not is_open and refusal is None:
            self.login_attempts.forget_one(connection)
        return refusal

    async def _admits(self, connection: HTTPConnection) -> bool:
        if (session := self.access.session_of(connection)) is not None:
            connection.scope[SESSION] = session
            return True
        return await self.access.admits(connection)

    def _login(self, connection: HTTPConnection, *, is_safe: bool) -> Response:
        if self.access.token is None:
            if self.access.authorize is None and is_forwarded(connection):
                return _refuse(HTTPStatus.FORBIDDEN, THROUGH_A_PROXY)
            return _refuse(HTTPStatus.FORBIDDEN, "Access denied.")
        root = connection.scope.get("root_path", "")
        if is_safe and "text/html" in connection.headers.get("accept", ""):
            return RedirectResponse(f"{root}/login", HTTPStatus.SEE_OTHER)
        return _refuse(HTTPStatus.UNAUTHORIZED, "Token required.")


def log_in(access: AccessPolicy, connection: HTTPConnection) -> Response:
    """Start a session for a request with the right token, and redirect to the first page."""
    assert access.sessions is not None
    return _cookie(access, connection, access.sessions.begin())


def log_out(access: AccessPolicy, connection: HTTPConnection) -> Response:
    """End the session of a browser, and redirect to the login."""
    if access.sessions is not None and (session := access.session_of(connection)) is not None:
        access.sessions.revoke(session)
    root = connection.scope.get("root_path", "")
    response = RedirectResponse(f"{root}/login", HTTPStatus.SEE_OTHER)
    response.delete_cookie(access.cookie_name, path=f"{root}/", httponly=True, samesite="lax")
    return response


def too_many_guesses(pause: int) -> Response:
    """Reject a token without a check, after too many wrong ones."""
    refusal = _refuse(HTTPStatus.TOO_MANY_REQUESTS, f"Too many wrong tokens. Try again in {pause} s.")
    refusal.headers["retry-after"] = str(pause)
    return refusal


def _cookie(access: AccessPolicy, connection: HTTPConnection, value: str) -> Response:
    root = connection.scope.get("root_path", "")
    response = RedirectResponse(f"{root}/", HTTPStatus.SEE_OTHER)
    response.set_cookie(
        access.cookie_name,
        value,
        path=f"{root}/",
        secure=is_encrypted(connection),
        httponly=True,
        samesite="lax",
    )
    return response


def _path_of(connection: HTTPConnection) -> str:
    """Return the path below the place where the dashboard is mounted."""
    path: str = connection.scope["path"]
    return path.removeprefix(connection.scope.get("root_path", ""))


def _is_probe(connection: HTTPConnection) -> bool:
    return connection.scope["method"] in SAFE_METHODS and _path_of(connection) == HEALTH_PATH


def _tokens_in(connection: HTTPConnection) -> dict[str, str]:
    """Return the tokens of a request by their place.

    A token in the URL counts only when a browser opens a page, not when another site embeds the URL as an image:
    that could use up the login attempts of the user.
    """
    found = dict[str, str]()
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        found["header"] = given
    named = parse_qs(connection.scope["query_string"].decode("latin-1")).get("token")
    opens_page = connection.headers.get("sec-fetch-dest", "document") == "document"
    if named and opens_page and connection.scope["method"] in SAFE_METHODS:
        found["address"] = named[0]
    return found


def _repeated_header(connection: HTTPConnection) -> str | None:
    """Return the name of a decisive header that occurs more than once, or None."""
    return next((name for name in DECISIVE if len(connection.headers.getlist(name)) > 1), None)


def _refuse(status: HTTPStatus, reason: str) -> Response:
    return PlainTextResponse(f"{reason}\n", status)

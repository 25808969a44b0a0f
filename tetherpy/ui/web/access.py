"""Who may use the dashboard: decided for every request before anything else looks at it."""

from __future__ import annotations

import hashlib
import hmac
import inspect
import ipaddress
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

import attrs
from starlette.requests import HTTPConnection

from .errors import DashboardExposedError, WeakTokenError

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
"""What this machine calls itself."""

MIN_TOKEN_CHARACTERS = 16

Authorize: TypeAlias = Callable[[HTTPConnection], bool | Awaitable[bool]]
"""Decides with the app's own login whether a request may use the dashboard."""


def _lowered(hosts: Iterable[str]) -> tuple[str, ...]:
    return tuple(host.lower() for host in hosts)


@attrs.frozen(kw_only=True)
class Access:
    """Tell which requests are welcome.

    ``hosts`` are the names that the Host header may have, whatever the port: other pages that a
    browser resolves to this machine (DNS rebinding) have others. Without ``token`` and ``authorize``
    requests must come from this machine. With both, either admits: people by the app's login, and
    who has the token, such as a script, without one. Who wants both of everyone asks for both in
    ``authorize`` alone. Raises ``DashboardExposedError`` and ``WeakTokenError``.
    """

    hosts: tuple[str, ...] = attrs.field(default=LOCAL_HOSTS, converter=_lowered)
    token: str | None = attrs.field(default=None, repr=False)
    authorize: Authorize | None = None

    def __attrs_post_init__(self) -> None:
        if self.token is not None and len(self.token) < MIN_TOKEN_CHARACTERS:
            raise WeakTokenError(MIN_TOKEN_CHARACTERS)
        exposed = [host for host in self.hosts if host not in LOCAL_HOSTS]
        if exposed and self.token is None and self.authorize is None:
            raise DashboardExposedError(exposed)

    def knows_host(self, connection: HTTPConnection) -> bool:
        """Tell whether a request names exactly one host, and one of ours."""
        named = connection.headers.getlist("host")
        return len(named) == 1 and _without_port(named[0]) in self.hosts

    def is_same_origin(self, connection: HTTPConnection) -> bool:
        """Tell whether a request was made by a page of ours, which browsers say by Origin and Sec-Fetch-Site.

        Each that is sent must say so; one without either is no browser's doing if the token is in its
        Authorization header. Origin has the scheme that the browser uses, and behind a proxy that
        ends TLS another is seen here: then Sec-Fetch-Site, which is sent over HTTPS, tells that it is the page's.
        """
        origin, site = connection.headers.get("origin"), connection.headers.get("sec-fetch-site")
        if origin is None and site is None:
            return self._has_bearer(connection)
        if site is not None and site != "same-origin":
            return False
        if origin is None:
            return True
        scheme, _, host = origin.lower().partition("://")
        if host != connection.headers["host"].lower() or scheme not in ("http", "https"):
            return False
        return site is not None or scheme == connection.url.scheme

    async def admits(self, connection: HTTPConnection) -> bool:
        """Tell whether whoever sends a request may use the dashboard."""
        if self.token is None and self.authorize is None:
            return connection.client is None or _is_loopback(connection.client.host)
        if self._shows_token(connection):
            return True
        if self.authorize is None:
            return False
        answer = self.authorize(connection)
        return await answer if inspect.isawaitable(answer) else answer

    def is_token(self, given: str | None) -> bool:
        """Compare in a time that does not tell how much of it is right."""
        return self.token is not None and _are_equal(given, self.token)

    @property
    def cookie_name(self) -> str:
        """Return a name of this token's own: browsers share cookies between the ports of a host."""
        return f"tetherpy-{hashlib.sha256((self.token or '').encode()).hexdigest()[:8]}"

    @property
    def cookie_value(self) -> str:
        """Return what shows that the token was given, in characters that a cookie can have."""
        return hashlib.sha256(f"cookie of {self.token}".encode()).hexdigest()

    def _shows_token(self, connection: HTTPConnection) -> bool:
        if self.token is None:
            return False
        return _are_equal(connection.cookies.get(self.cookie_name), self.cookie_value) or self._has_bearer(connection)

    def _has_bearer(self, connection: HTTPConnection) -> bool:
        scheme, _, given = connection.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self.is_token(given)


def _are_equal(given: str | None, wanted: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode(errors="replace"), wanted.encode())


def _without_port(host: str) -> str:
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isascii() and port.isdigit() else host.lower()


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False

"""The access policy of the dashboard: allowed hosts, the token, the app's login, and sessions."""

from __future__ import annotations

import hashlib
import hmac
import inspect
import ipaddress
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

import attrs
from starlette.requests import HTTPConnection

from tetherpy.jobs import WallClock, utc_now

from ..errors import DashboardExposedError, WeakTokenError
from .host_and_origin import LOCAL_HOSTS
from .proxy_headers import is_forwarded
from .sessions import Session, Sessions

MIN_TOKEN_CHARACTERS = 16

Authorize: TypeAlias = Callable[[HTTPConnection], bool | Awaitable[bool]]
"""Returns whether the app's own login admits a request to the dashboard."""


def _lowered(hosts: Iterable[str]) -> tuple[str, ...]:
    return tuple(host.lower() for host in hosts)


@attrs.frozen(kw_only=True)
class AccessPolicy:
    """Decides which requests are admitted.

    ``hosts`` are the names that the Host header may contain, with any port; this stops DNS rebinding, where another
    site's name resolves to this machine. Without ``token`` and ``authorize``, requests must come from this machine
    and not through a proxy. With both, either admits: users by the app's login, scripts by the token. To require
    both, check both in ``authorize``. Raises ``DashboardExposedError`` and ``WeakTokenError``.
    """

    hosts: tuple[str, ...] = attrs.field(default=LOCAL_HOSTS, converter=_lowered)
    token: str | None = attrs.field(default=None, repr=False)
    authorize: Authorize | None = None
    clock: WallClock = utc_now
    sessions: Sessions | None = attrs.field(
        init=False,
        default=attrs.Factory(
            lambda self: None if self.token is None else Sessions(self.token, self.clock), takes_self=True
        ),
    )

    def __attrs_post_init__(self) -> None:
        if self.token is not None and len(self.token) < MIN_TOKEN_CHARACTERS:
            raise WeakTokenError(MIN_TOKEN_CHARACTERS)
        exposed = [host for host in self.hosts if host not in LOCAL_HOSTS]
        if exposed and self.token is None and self.authorize is None:
            raise DashboardExposedError(exposed)

    async def admits(self, connection: HTTPConnection) -> bool:
        """Whether a request is admitted without a token: by the app's login, or by its address."""
        if self.authorize is not None:
            answer = self.authorize(connection)
            return await answer if inspect.isawaitable(answer) else answer
        if self.token is not None or is_forwarded(connection):
            return False
        return connection.client is None or not connection.client.host or _is_loopback(connection.client.host)

    def is_token(self, given: str | None) -> bool:
        """Compare with the token in constant time."""
        return self.token is not None and given is not None and _are_equal(given, self.token)

    @property
    def cookie_name(self) -> str:
        """Return a cookie name per token: browsers share cookies between the ports of a host."""
        return f"tetherpy-{hashlib.sha256((self.token or '').encode()).hexdigest()[:8]}"

    def session_of(self, connection: HTTPConnection) -> Session | None:
        """Return the session of a browser; None if it did not log in, or its session has ended."""
        return None if self.sessions is None else self.sessions.find(connection.cookies.get(self.cookie_name))


def _are_equal(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode())


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False

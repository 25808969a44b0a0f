"""Connections: their settings, their timeouts, and how a call that waits is interrupted."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from os import dup
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from ..addresses import UNREADABLE
from ..errors import DatabaseAddressError

T = TypeVar("T")

_DEFAULTS = {
    "application_name": "tetherpy",
    "connect_timeout": "10",
    # With SQL_ASCII as client encoding the driver would return text as bytes.
    "client_encoding": "UTF8",
    # A lost network connection is noticed after half a minute.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "30000",
}
_SESSION = {
    "TimeZone": "UTC",
    # The driver reads no other formats of dates and intervals. A role or a database may have set others.
    "DateStyle": "ISO,YMD",
    "IntervalStyle": "postgres",
    # The server also detects a lost client after this time, and releases the locks of its transactions.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "4",
    "tcp_user_timeout": "30000",
}
"""Settings of each session; options in the URL override them."""
_TIMEOUTS_OFF = (
    "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('statement_timeout', 'transaction_timeout', "
    "'idle_in_transaction_session_timeout', 'idle_session_timeout')"
)
"""Not options of the connection, since a server refuses options that its version does not have."""
AGAIN_SECONDS = 0.05
ANSWER_SECONDS = 3.0
"""How long an idle server may take to answer a trivial statement before the connection counts as lost."""
CANCEL_SECONDS = 1.0
"""How long a cancelled call may wait for the server to end its statement before its connection is closed."""
_FULL = ("too many connections", "too many clients", "remaining connection slots")
_PASSING = (
    "Connection refused",
    "No such file",
    "starting up",
    "shutting down",
    "recovery mode",
    "not yet accepting",
    "timeout expired",
    "unexpectedly",
    "reset by peer",
    "failed to resolve host",
    "administrator command",
)
"""Messages for a server that is starting or unreachable; the client library has no codes for them."""


class Connection(psycopg.AsyncConnection[Any]):
    """A connection that records since when a call waits for the server, and whose calls can be interrupted."""

    waiting_since: float | None = None
    """The start of the current wait for the server, in the loop's time; None while nothing waits."""
    _ending: asyncio.TimerHandle | None = None

    async def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:  # noqa: ASYNC109
        """Wait for the server, as the driver does, and record the start of the wait."""
        self.waiting_since = asyncio.get_running_loop().time()
        try:
            return await super().wait(gen, interval, timeout)
        finally:
            self.waiting_since = None
            if self._ending is not None:
                self._ending.cancel()
                self._ending = None

    async def cancel_safe(self, *, timeout: float = 30.0) -> None:  # noqa: ASYNC109
        """Ask the server to cancel the statement; shut the socket down if the wait lasts ``CANCEL_SECONDS`` longer."""
        self._ending = asyncio.get_running_loop().call_later(CANCEL_SECONDS, self.hang_up)
        await super().cancel_safe(timeout=min(timeout, CANCEL_SECONDS))

    @property
    def unanswered_since(self) -> float | None:
        """Return the time since which a statement waits for its result; None if none does."""
        if self.closed or self.info.transaction_status is not TransactionStatus.ACTIVE:
            return None
        return self.waiting_since

    def hang_up(self) -> None:
        """Shut the socket down: a call that waits fails as if the server had closed the connection."""
        if self.closed:
            return
        with suppress(OSError), socket.socket(fileno=dup(self.fileno())) as end:
            end.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def answering(self) -> Generator[None]:
        """Shut the socket down unless the block ends within ``ANSWER_SECONDS``."""
        timer = asyncio.get_running_loop().call_later(ANSWER_SECONDS, self.hang_up)
        try:
            yield
        finally:
            timer.cancel()


def settings_of(url: str, name: str) -> dict[str, Any]:
    """Return the settings in a URL and defaults for the others; raises ``DatabaseAddressError`` if it is not valid."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # Not chained: the message of the client library may quote a part of the password.
        raise DatabaseAddressError(name) from None
    if name == UNREADABLE or "@" in str(given.get("host", ""))[1:]:
        # The password contains an unescaped "@", "/", "?" or "#", so the parsed host is a part of the password.
        raise DatabaseAddressError(name)
    session = [f"-c {setting}={value}" for setting, value in _SESSION.items()]
    return {**_DEFAULTS, **given, "options": " ".join([*session, str(given.pop("options", None) or "")]).rstrip()}


def with_lock_timeout(settings: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Return the settings with a lock timeout in seconds, which overrides the one in the URL."""
    return {**settings, "options": f"{settings['options']} -c lock_timeout={seconds * 1000:.0f}ms"}


async def connect(settings: dict[str, Any]) -> Connection:
    """Open a connection for the app's statements."""
    return await Connection.connect(**settings, autocommit=True)


async def connect_internal(settings: dict[str, Any]) -> Connection:
    """Open a connection for internal statements: timeouts that the role sets for the app's do not end them."""
    connection = await connect(settings)
    try:
        with connection.answering():
            await connection.execute(_TIMEOUTS_OFF)
    except BaseException:
        await connection.close()
        raise
    return connection


def passes(error: psycopg.OperationalError) -> bool:
    """Tell whether a refused connection may succeed later: the server is starting, unreachable or full."""
    return any(cause in str(error) for cause in (*_PASSING, *_FULL))


def is_full(error: psycopg.OperationalError) -> bool:
    """Tell whether the server, or the limit of the role, has no free connection."""
    return any(cause in str(error) for cause in _FULL)

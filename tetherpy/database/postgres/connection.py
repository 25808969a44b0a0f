"""Making connections, and telling a silent one from a slow one."""

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
    # The driver would give text as bytes where the database says SQL_ASCII.
    "client_encoding": "UTF8",
    # A machine that vanished without a word is noticed after half a minute.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "30000",
}
_SESSION = {
    "TimeZone": "UTC",
    # The driver reads no other forms of dates and intervals. A role or a database may have set them.
    "DateStyle": "ISO,YMD",
    "IntervalStyle": "postgres",
    # The server notices a vanished machine as soon, and releases what its transactions had locked.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "4",
    "tcp_user_timeout": "30000",
}
"""Settings of each session; options in the URL come later and override these."""
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
"""Messages of a server that is starting or away; the client library gives no code for these."""


class Connection(psycopg.AsyncConnection[Any]):
    """A connection that knows since when a call waits for the server, and whose calls can be ended from outside."""

    waiting_since: float | None = None
    """When the present wait for the server began, in the loop's seconds; None while nothing waits."""
    _ending: asyncio.TimerHandle | None = None

    async def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:  # noqa: ASYNC109
        """Wait for the server, as the driver does, and note since when."""
        self.waiting_since = asyncio.get_running_loop().time()
        try:
            return await super().wait(gen, interval, timeout)
        finally:
            self.waiting_since = None
            if self._ending is not None:
                self._ending.cancel()
                self._ending = None

    async def cancel_safe(self, *, timeout: float = 30.0) -> None:  # noqa: ASYNC109
        """Ask the server to cancel the statement; hang up if the wait has not ended ``CANCEL_SECONDS`` later."""
        self._ending = asyncio.get_running_loop().call_later(CANCEL_SECONDS, self.hang_up)
        await super().cancel_safe(timeout=min(timeout, CANCEL_SECONDS))

    @property
    def unanswered_since(self) -> float | None:
        """Return since when a statement waits for its answer; None if none does."""
        if self.closed or self.info.transaction_status is not TransactionStatus.ACTIVE:
            return None
        return self.waiting_since

    def hang_up(self) -> None:
        """End the connection under a call that waits: the call fails as if the server had closed it."""
        if self.closed:
            return
        with suppress(OSError), socket.socket(fileno=dup(self.fileno())) as end:
            end.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def answering(self) -> Generator[None]:
        """Hang up unless the block ends within ``ANSWER_SECONDS``."""
        timer = asyncio.get_running_loop().call_later(ANSWER_SECONDS, self.hang_up)
        try:
            yield
        finally:
            timer.cancel()


def settings_of(url: str, name: str) -> dict[str, Any]:
    """Read a URL, with defaults for what it leaves open; ``DatabaseAddressError`` if it is none."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # Not chained: the server library's message may quote a part of the password.
        raise DatabaseAddressError(name) from None
    if name == UNREADABLE or "@" in str(given.get("host", ""))[1:]:
        # A part of the password, whose own "@", "/", "?" or "#" is not escaped, would be taken for the host.
        raise DatabaseAddressError(name)
    session = [f"-c {setting}={value}" for setting, value in _SESSION.items()]
    return {**_DEFAULTS, **given, "options": " ".join([*session, str(given.pop("options", None) or "")]).rstrip()}


def with_lock_timeout(settings: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Return settings of connections that wait at most that long for a lock, even if the URL says otherwise."""
    return {**settings, "options": f"{settings['options']} -c lock_timeout={seconds * 1000:.0f}ms"}


async def connect(settings: dict[str, Any]) -> Connection:
    """Open one connection outside the pools."""
    return await Connection.connect(**settings, autocommit=True)


def passes(error: psycopg.OperationalError) -> bool:
    """Tell whether a connection that was refused may be made later: the server is starting, away or full."""
    return any(cause in str(error) for cause in (*_PASSING, *_FULL))


def is_full(error: psycopg.OperationalError) -> bool:
    """Tell whether the server, or what it allows the role, has no connection left."""
    return any(cause in str(error) for cause in _FULL)

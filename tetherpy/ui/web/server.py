"""The server of ``tetherpy dashboard``: uvicorn with timeouts against slow clients."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import attrs
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_HEAD_BYTES = 32 * 1024
"""Maximum size of the request line and headers."""
MAX_CONNECTIONS = 1000
GOODBYE_SECONDS = 0.5
"""Seconds that open requests have to finish at shutdown; streams are closed after it."""
CANCEL_SECONDS = 5
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@attrs.frozen(kw_only=True)
class ClientTimeouts:
    """Timeouts for slow clients, in seconds.

    ``head`` bounds the arrival of the request line and headers, ``unread`` the time for which a full send buffer
    may stay unread.
    """

    head: float = 10.0
    unread: float = 10.0


class TimeoutProtocol(H11Protocol):
    """HTTP/1.1 with timeouts for slow clients."""

    timeouts = ClientTimeouts()
    _head: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Start the timeout for the first request."""
        super().connection_made(transport)
        self._head = self.loop.call_later(self.timeouts.head, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timeouts."""
        self._stop_waiting_for_head()
        self._stop_waiting_for_reader()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Process received data; the timeout runs until the headers are complete."""
        super().data_received(data)
        cycle: Any = self.cycle  # None before the first request, despite its annotation
        if cycle is not None and not cycle.response_complete:
            self._stop_waiting_for_head()
        elif self._head is None and not self.transport.is_closing():
            self._head = self.loop.call_later(self.timeouts.head, self.transport.abort)

    def pause_writing(self) -> None:
        """Start the timeout for a client that does not read."""
        super().pause_writing()
        self._unread = self.loop.call_later(self.timeouts.unread, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop the timeout: the client has read."""
        self._stop_waiting_for_reader()
        super().resume_writing()

    def _stop_waiting_for_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _stop_waiting_for_reader(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


class PoliteServer(uvicorn.Server):
    """A graceful shutdown: no tracebacks in the log, and time for the app to close its streams."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Shut down at a signal. Uvicorn would raise the signal again at the end, before our own cleanup."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let open requests finish, then close the connections: uvicorn would log cancelled streams."""
        goodbye = asyncio.get_running_loop().call_later(GOODBYE_SECONDS, self._close_connections)
        try:
            await super().shutdown(sockets)
        finally:
            goodbye.cancel()

    def _close_connections(self) -> None:
        for connection in tuple(self.server_state.connections):
            transport: Any = connection.transport
            transport.abort()


async def serve(
    app: ASGIApp,
    host: str,
    port: int,
    on_ready: Callable[[int], object],
    timeouts: ClientTimeouts = TimeoutProtocol.timeouts,
) -> None:
    """Serve an app until a signal, or the task's cancellation, ends it.

    ``on_ready`` is called with the port; port 0 lets the system choose. Requests are not logged, because a URL may
    contain the token. Raises ``OSError`` if the port is in use.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        on_ready(listener.getsockname()[1])
        await _serve(app, listener, timeouts)


async def serve_unix(
    app: ASGIApp, path: Path, on_ready: Callable[[], object], timeouts: ClientTimeouts = TimeoutProtocol.timeouts
) -> None:
    """Serve an app on a Unix socket that only this user may open; remove the socket at the end.

    Replaces the socket of a server that has ended. Raises ``OSError`` if the path cannot be used, or if another
    server listens on it.
    """
    with _listening(path) as listener:
        on_ready()
        await _serve(app, listener, timeouts)


@contextmanager
def _listening(path: Path) -> Generator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        if path.is_socket():
            _remove_dead(path)
        # chmod() after bind() would leave a moment in which other users can connect.
        mask = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(mask)
        own = path.lstat().st_ino
        listener.listen()
        try:
            yield listener
        finally:
            with suppress(FileNotFoundError):
                if path.lstat().st_ino == own:
                    path.unlink()


def _remove_dead(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        else:
            raise OSError(errno.EADDRINUSE, "another server listens on it")


async def _serve(app: ASGIApp, listener: socket.socket, timeouts: ClientTimeouts) -> None:
    class Protocol(TimeoutProtocol):
        pass

    Protocol.timeouts = timeouts
    config = uvicorn.Config(
        _bounded(app),
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        limit_concurrency=MAX_CONNECTIONS,
        proxy_headers=False,  # do not trust X-Forwarded-* headers
        timeout_graceful_shutdown=CANCEL_SECONDS,
    )
    server = PoliteServer(config)
    try:
        await server.serve(sockets=[listener])
    except asyncio.CancelledError:
        await server.shutdown(sockets=[listener])
        raise


def _bounded(app: ASGIApp) -> ASGIApp:
    """Return an app that rejects requests with too large headers.

    h11 checks only incomplete headers; headers that arrive in one piece are complete before its check.
    """

    async def bounded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _head_bytes(scope) > MAX_HEAD_BYTES:
            text = f"The request line and headers may have at most {MAX_HEAD_BYTES:,} bytes.\n"
            refusal = PlainTextResponse(
                text, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, headers={"connection": "close"}
            )
            await refusal(scope, receive, send)
        else:
            await app(scope, receive, send)

    return bounded


def _head_bytes(scope: Scope) -> int:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    line = len(scope["method"]) + len(scope["raw_path"]) + len(scope["query_string"]) + len(" ? HTTP/1.1\r\n")
    return line + sum(len(name) + len(value) + len(": \r\n") for name, value in headers) + len("\r\n")

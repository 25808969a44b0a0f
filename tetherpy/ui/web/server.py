"""The server behind ``tetherpy dashboard``: uvicorn, with a bound on all that a client can take its time with."""

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
"""The bound of a request's head, whether it arrives in pieces or at once."""
MAX_CONNECTIONS = 1000
GOODBYE_SECONDS = 0.5
"""What is being answered when the server ends has this long; streams end with it."""
CANCEL_SECONDS = 5
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@attrs.frozen
class ClientTimeouts:
    """Say for how long a client is waited for, in seconds.

    ``head`` is how long a request's head may take to arrive, ``unread`` how long more than a buffer
    may wait to be read.
    """

    head: float = 10.0
    unread: float = 10.0


class PatientProtocol(H11Protocol):
    """Speak HTTP/1.1 with a client as long as it does its part."""

    patience = ClientTimeouts()
    _head: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._head = self.loop.call_later(self.patience.head, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting_for_head()
        self._stop_waiting_for_reader()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what arrives; what is no whole head begins, or leaves, the time that one may take."""
        super().data_received(data)
        cycle: Any = self.cycle  # None before the first request, whatever its annotation says
        if cycle is not None and not cycle.response_complete:
            self._stop_waiting_for_head()
        elif self._head is None and not self.transport.is_closing():
            self._head = self.loop.call_later(self.patience.head, self.transport.abort)

    def pause_writing(self) -> None:
        """Begin to wait for a client that does not read."""
        super().pause_writing()
        self._unread = self.loop.call_later(self.patience.unread, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: it has read."""
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
    """End in good order: without tracebacks in the log, and with time for the app to close what it holds open."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """End at a signal. Uvicorn's own raises it again at the end, which would cut short what comes after."""
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
        """Let what is being answered end, then close what is left: streams that are cancelled would be logged."""
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
    patience: ClientTimeouts = PatientProtocol.patience,
) -> None:
    """Serve an app until a signal, or the task's cancellation, ends it.

    ``on_ready`` is called with the port, which 0 leaves to the system. What is requested is not
    logged: an address may hold the token. Raises ``OSError`` where the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        on_ready(listener.getsockname()[1])
        await _serve(app, listener, patience)


async def serve_unix(
    app: ASGIApp, path: Path, on_ready: Callable[[], object], patience: ClientTimeouts = PatientProtocol.patience
) -> None:
    """Serve an app on a Unix socket that this user alone may open, as ``serve`` does; remove the socket at the end.

    Raises ``OSError`` where the path cannot be used, or where another server listens; the socket of one that
    has ended is replaced.
    """
    with _listening(path) as listener:
        on_ready()
        await _serve(app, listener, patience)


@contextmanager
def _listening(path: Path) -> Generator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        if path.is_socket():
            _remove_dead(path)
        # Only the mode at the time of bind() leaves no moment in which others may connect.
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
            raise OSError(errno.EADDRINUSE, "another server listens there")


async def _serve(app: ASGIApp, listener: socket.socket, patience: ClientTimeouts) -> None:
    class Protocol(PatientProtocol):
        pass

    Protocol.patience = patience
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
        proxy_headers=False,  # who is asked for is who asks
        timeout_graceful_shutdown=CANCEL_SECONDS,
    )
    server = PoliteServer(config)
    try:
        await server.serve(sockets=[listener])
    except asyncio.CancelledError:
        await server.shutdown(sockets=[listener])
        raise


def _bounded(app: ASGIApp) -> ASGIApp:
    """Return an app that answers no request whose head is too large.

    h11 bounds a head that is not complete yet; one that arrives at once is complete before it looks.
    """

    async def bounded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _head_bytes(scope) > MAX_HEAD_BYTES:
            text = f"The head of a request has at most {MAX_HEAD_BYTES:,} bytes.\n"
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

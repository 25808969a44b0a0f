"""The control server: the supervisor's end of the socket that apps connect to."""

from __future__ import annotations

import socket
from collections.abc import Callable

import attrs

from ..protocol.frames import Frame
from .frame_socket import FrameSocket
from .selector_loop import SelectorLoop

ACCEPT_AGAIN_SECONDS = 0.2
MAX_UNREAD = 8 << 20
"""Maximum unread bytes of an app; with more its connection is closed."""


@attrs.define(eq=False)
class ControlServer:
    """Accept connections of apps, send each the status of the group, and broadcast frames."""

    selector_loop: SelectorLoop
    listener: socket.socket
    greeting: Callable[[], bytes]
    on_frame: Callable[[FrameSocket, Frame], None]
    on_room: Callable[[FrameSocket], None]
    on_broken: Callable[[FrameSocket], None]
    _apps: set[FrameSocket] = attrs.field(init=False, factory=set[FrameSocket])
    _closed: bool = attrs.field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self.listener.setblocking(False)
        self._listen()

    @property
    def apps(self) -> frozenset[FrameSocket]:
        """Return the connected apps."""
        return frozenset(self._apps)

    @property
    def has_unsent(self) -> bool:
        """Tell whether any app has unread data."""
        return any(app.unsent for app in self._apps)

    def listen_on(self, listener: socket.socket) -> None:
        """Accept apps on another socket from now on; existing connections stay open."""
        self.stop_listening()
        self.listener = listener
        self._closed = False
        self.__attrs_post_init__()

    def broadcast(self, data: bytes) -> None:
        """Send an encoded frame to every connected app."""
        for app in tuple(self._apps):
            app.send(data)

    def stop_listening(self) -> None:
        """Stop accepting apps; existing connections stay open."""
        if not self._closed:
            self._closed = True
            self.selector_loop.forget(self.listener.fileno())
            self.listener.close()

    def close(self) -> None:
        """Close the listening socket and all connections."""
        self.stop_listening()
        for app in tuple(self._apps):
            app.close()

    def release(self) -> None:
        """Close the descriptors without affecting the apps: for a forked child."""
        self.listener.close()
        for app in self._apps:
            app.sock.close()

    def _listen(self) -> None:
        if not self._closed:
            self.selector_loop.watch(self.listener.fileno(), self._accept)

    def _accept(self) -> None:
        try:
            connection, _ = self.listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:
            # No free descriptors: apps must wait, and the loop must not spin.
            self.selector_loop.forget(self.listener.fileno())
            self.selector_loop.call_later(ACCEPT_AGAIN_SECONDS, self._listen)
            return
        try:
            app = FrameSocket(connection, self.selector_loop, self.on_frame, self._on_close, self.on_room, MAX_UNREAD)
        except OSError:
            # The selector is full: the app sees the end of the connection and reconnects.
            connection.close()
            return
        self._apps.add(app)
        app.send(self.greeting())

    def _on_close(self, app: FrameSocket) -> None:
        self._apps.discard(app)
        if app.error is not None:
            self.on_broken(app)
        self.on_room(app)

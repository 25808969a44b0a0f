"""The supervisor's side of the socket that apps connect to."""

from __future__ import annotations

import socket
from collections.abc import Callable

import attrs

from .peer import Peer
from .reactor import Reactor
from .wire import Frame

ACCEPT_AGAIN_SECONDS = 0.2


@attrs.define(eq=False)
class Hub:
    """Accept apps, greet each with the group's status, and send to all of them."""

    reactor: Reactor
    listener: socket.socket
    greeting: Callable[[], bytes]
    on_frame: Callable[[Frame], None]
    _apps: set[Peer] = attrs.field(init=False, factory=set[Peer])
    _closed: bool = attrs.field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self.listener.setblocking(False)
        self._listen()

    @property
    def has_unsent(self) -> bool:
        """Tell whether any app has yet to read something."""
        return any(app.has_unsent for app in self._apps)

    def broadcast(self, data: bytes) -> None:
        """Send an encoded frame to every connected app."""
        for app in tuple(self._apps):
            app.send(data)

    def stop_listening(self) -> None:
        """Accept nobody any more; those who are connected stay."""
        if not self._closed:
            self._closed = True
            self.reactor.forget(self.listener.fileno())
            self.listener.close()

    def close(self) -> None:
        """Drop everybody."""
        self.stop_listening()
        for app in tuple(self._apps):
            app.close()

    def release(self) -> None:
        """Close the descriptors without a word to anybody: for a forked child."""
        self.listener.close()
        for app in self._apps:
            app.sock.close()

    def _listen(self) -> None:
        if not self._closed:
            self.reactor.watch(self.listener.fileno(), self._accept)

    def _accept(self) -> None:
        try:
            connection, _ = self.listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:
            # No descriptors left: who asks has to wait, and the loop must not spin meanwhile.
            self.reactor.forget(self.listener.fileno())
            self.reactor.call_later(ACCEPT_AGAIN_SECONDS, self._listen)
            return
        app = Peer(connection, self.reactor, lambda _, frame: self.on_frame(frame), self._apps.discard)
        self._apps.add(app)
        app.send(self.greeting())

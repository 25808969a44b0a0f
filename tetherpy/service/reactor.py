"""The supervisor's loop: readiness, timers and signals, without threads and without asyncio.

A process that forks must be able to do so at any point of its loop. A running asyncio loop
cannot be forked (its child believes that it runs in it), this one can: the child drops it.
"""

from __future__ import annotations

import heapq
import itertools
import selectors
import signal
import socket
import time
from collections.abc import Callable

import attrs

_READ = selectors.EVENT_READ
_WRITE = selectors.EVENT_WRITE


@attrs.frozen
class _Watch:
    readable: Callable[[], None]
    writable: Callable[[], None] | None = None


@attrs.define(eq=False)
class Reactor:
    """Call back when descriptors are ready, time has come or a signal has arrived."""

    clock: Callable[[], float] = time.monotonic
    _selector: selectors.BaseSelector = attrs.field(init=False, factory=selectors.DefaultSelector)
    _timers: list[tuple[float, int, Callable[[], None]]] = attrs.field(
        init=False, factory=list[tuple[float, int, Callable[[], None]]]
    )
    _order: itertools.count[int] = attrs.field(init=False, factory=itertools.count)
    _signals: dict[int, Callable[[], None]] = attrs.field(init=False, factory=dict[int, Callable[[], None]])
    _bell: tuple[socket.socket, socket.socket] = attrs.field(init=False, factory=socket.socketpair)

    def __attrs_post_init__(self) -> None:
        for end in self._bell:
            end.setblocking(False)
        signal.set_wakeup_fd(self._bell[1].fileno(), warn_on_full_buffer=False)
        self.watch(self._bell[0].fileno(), self._on_signals)

    def watch(self, fd: int, readable: Callable[[], None], writable: Callable[[], None] | None = None) -> None:
        """Call ``readable`` while there is something to read; with ``writable`` that one too."""
        events = _READ if writable is None else _READ | _WRITE
        watch = _Watch(readable, writable)
        if fd in self._selector.get_map():
            self._selector.modify(fd, events, watch)
        else:
            self._selector.register(fd, events, watch)

    def forget(self, fd: int) -> None:
        """Stop watching a descriptor, before it is closed; nothing happens if it is not watched."""
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        """Call once, ``delay`` seconds from now."""
        heapq.heappush(self._timers, (self.clock() + delay, next(self._order), callback))

    def on_signal(self, number: signal.Signals, callback: Callable[[], None]) -> None:
        """Call for each signal of this number, from the loop and not from the handler."""
        self._signals[number] = callback
        signal.signal(number, _heed)

    def run(self, until: Callable[[], bool]) -> None:
        """Turn until the condition holds; it is looked at after each turn."""
        while not until():
            self.turn()

    def turn(self) -> None:
        """Wait for the next thing and do it."""
        timeout = max(self._timers[0][0] - self.clock(), 0.0) if self._timers else None
        for key, events in self._selector.select(timeout):
            # An earlier callback of this turn may have dropped this descriptor.
            if self._selector.get_map().get(key.fd) is not key:
                continue
            watch: _Watch = key.data
            if events & _WRITE and watch.writable is not None:
                watch.writable()
            if events & _READ and key.fd in self._selector.get_map():
                watch.readable()
        while self._timers and self._timers[0][0] <= self.clock():
            heapq.heappop(self._timers)[2]()

    def close(self) -> None:
        """Drop everything, signals back to what a fresh process has."""
        signal.set_wakeup_fd(-1)
        for number in self._signals:
            default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, default)
        self._selector.close()
        for end in self._bell:
            end.close()

    def _on_signals(self) -> None:
        for number in self._bell[0].recv(4096):
            if callback := self._signals.get(number):
                callback()


def _heed(number: int, frame: object) -> None:
    """Do nothing: that there is a handler makes the signal write its number to the bell."""

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
LONGEST_WAIT_SECONDS = 3600.0
"""A longer wait is cut: the system call takes milliseconds of 31 bits."""
STANDSTILL_SECONDS = 0.5
"""A timer that is late by more than this says that the process stood still, not that it was busy."""


@attrs.frozen
class _Watch:
    readable: Callable[[], None] | None
    writable: Callable[[], None] | None


@attrs.define(eq=False)
class SelectorLoop:
    """Call back when descriptors are ready, time has come or a signal has arrived.

    Time does not pass while the whole process stands still, as in a paused container: its own late timer
    tells. What is measured with ``now`` so never blames another process for that time.
    """

    clock: Callable[[], float] = time.monotonic
    _stood_still: float = attrs.field(init=False, default=0.0)
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

    def now(self) -> float:
        """Return the seconds of the clock, without those in which this process stood still."""
        return self.clock() - self._stood_still

    def watch(self, fd: int, readable: Callable[[], None] | None, writable: Callable[[], None] | None = None) -> None:
        """Call ``readable`` while there is something to read, ``writable`` while there is room to write."""
        events = (0 if readable is None else _READ) | (0 if writable is None else _WRITE)
        watch = _Watch(readable, writable)
        if not events:
            self.forget(fd)
        elif fd in self._selector.get_map():
            self._selector.modify(fd, events, watch)
        else:
            self._selector.register(fd, events, watch)

    def forget(self, fd: int) -> None:
        """Stop watching a descriptor, before it is closed; nothing happens if it is not watched."""
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        """Call once, ``delay`` seconds from now."""
        heapq.heappush(self._timers, (self.now() + delay, next(self._order), callback))

    def on_signal(self, number: signal.Signals, callback: Callable[[], None]) -> None:
        """Call for each signal of this number, from the loop and not from the handler."""
        self._signals[number] = callback
        signal.signal(number, _heed)
        # The parent may have had it blocked, which a process inherits.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})

    def run(self, until: Callable[[], bool]) -> None:
        """Turn until the condition holds; it is looked at after each turn."""
        while not until():
            self.turn()

    def turn(self) -> None:
        """Wait for the next thing and do it."""
        self._discount_standstill()
        for key, events in self._selector.select(self._next_wait()):
            # An earlier callback of this turn may have dropped this descriptor.
            if self._selector.get_map().get(key.fd) is not key:
                continue
            watch: _Watch = key.data
            if events & _WRITE and watch.writable is not None:
                watch.writable()
            if events & _READ and watch.readable is not None and key.fd in self._selector.get_map():
                watch.readable()
        self._discount_standstill()
        while self._timers and self._timers[0][0] <= self.now():
            heapq.heappop(self._timers)[2]()

    def _next_wait(self) -> float | None:
        return min(max(self._timers[0][0] - self.now(), 0.0), LONGEST_WAIT_SECONDS) if self._timers else None

    def _discount_standstill(self) -> None:
        if self._timers and (late := self.now() - self._timers[0][0]) > STANDSTILL_SECONDS:
            self._stood_still += late

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

import contextlib
import os
import signal
import socket

import pytest

from tetherpy.service.peer import MAX_UNREAD, Peer
from tetherpy.service.reactor import Reactor
from tetherpy.service.wire import Beat, Stop, encode


@pytest.fixture
def reactor():
    reactor = Reactor()
    yield reactor
    reactor.close()


def test_timers_go_off_in_order(reactor):
    order = []
    reactor.call_later(0.02, lambda: order.append("late"))
    reactor.call_later(0.0, lambda: order.append("first"))
    reactor.call_later(0.0, lambda: order.append("second"))
    reactor.run(until=lambda: len(order) == 3)
    assert order == ["first", "second", "late"]


def test_each_signal_is_heard_in_the_loop(reactor):
    heard = []
    reactor.on_signal(signal.SIGUSR1, lambda: heard.append(signal.SIGUSR1))
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGUSR1)
        reactor.turn()
    assert heard == [signal.SIGUSR1] * 2


@pytest.fixture
def pair(reactor):
    ours, theirs = socket.socketpair()
    frames, closed = [], []
    peer = Peer(ours, reactor, lambda _, frame: frames.append(frame), closed.append)
    yield peer, theirs, frames, closed
    peer.close()
    theirs.close()


def test_frames_arrive_whole_however_they_are_cut(reactor, pair):
    _, theirs, frames, _ = pair
    for byte in encode(Stop(1.0)) + encode(Beat()):
        theirs.send(bytes([byte]))
        reactor.turn()
    assert frames == [Stop(1.0), Beat()]


def test_end_and_nonsense_close(reactor, pair):
    _, theirs, frames, closed = pair
    theirs.send(b"nonsense\n")
    reactor.turn()
    assert len(closed) == 1
    assert frames == []


def test_last_words_are_heard(reactor, pair):
    peer, theirs, frames, closed = pair
    theirs.send(encode(Stop(1.0)))
    theirs.close()
    peer.drain()
    assert frames == [Stop(1.0)]
    assert closed == [peer]
    peer.close()
    assert closed == [peer]


def test_slow_reader_gets_everything(reactor, pair):
    peer, theirs, _, _ = pair
    frame = encode(Stop(1.0))
    number = (1 << 20) // len(frame)
    for _ in range(number):
        peer.send(frame)
    received = 0
    theirs.setblocking(False)
    while received < number * len(frame):
        with contextlib.suppress(BlockingIOError):
            while data := theirs.recv(1 << 16):
                received += len(data)
        if peer.has_unsent:
            reactor.turn()
    assert received == number * len(frame)


def test_reader_who_never_reads_is_dropped(pair):
    peer, _, _, closed = pair
    frame = b"x" * (1 << 20)
    for _ in range(2 * MAX_UNREAD // len(frame)):
        peer.send(frame)
    assert closed == [peer]

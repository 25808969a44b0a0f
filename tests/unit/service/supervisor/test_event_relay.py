"""Events through the supervisor: senders wait for slow receivers, and a receiver that never reads is dropped."""

import socket

import pytest

from tetherpy.service.protocol.frames import event
from tetherpy.service.protocol.wait_bounds import STALLED_SECONDS
from tetherpy.service.supervisor.event_relay import HIGH_WATER, EventRelay
from tetherpy.service.supervisor.frame_socket import Peer
from tetherpy.service.supervisor.selector_loop import Reactor

EVENT = event("e", "x" * 100_000)
MANY = 10 * HIGH_WATER // len(EVENT)


@pytest.fixture
def reactor():
    reactor = Reactor()
    yield reactor
    reactor.close()


@pytest.fixture
def connect(reactor):
    """Return a function that makes a peer and gives it with the other end of its connection."""
    ends = []

    def make(on_frame=lambda peer, frame: None, on_room=lambda peer: None):
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        peer = Peer(ours, reactor, on_frame, lambda _: None, on_room)
        ends.append((peer, theirs))
        return peer, theirs

    yield make
    for peer, theirs in ends:
        peer.close()
        theirs.close()


def send_as_much_as_is_taken(reactor, sending, data):
    """Return what is left of the data when no more is taken."""
    idle = 0
    reactor.call_later(0.0, lambda: None)
    while data and idle < 50:
        try:
            data = data[sending.send(data) :]
            idle = 0
        except BlockingIOError:
            idle += 1
        reactor.call_later(0.0, lambda: None)
        reactor.turn()
    return data


def read_all(end):
    received = 0
    try:
        while data := end.recv(1 << 16):
            received += len(data)
    except BlockingIOError:
        pass
    return received


def test_a_sender_waits_while_a_receiver_is_far_behind_and_all_of_it_arrives(reactor, connect):
    receiver, reading = connect()
    relay = EventRelay(reactor, lambda: [receiver])
    receiver.on_room = relay.on_room
    _, sending = connect(lambda peer, _: relay.pass_on(peer, EVENT))
    left = send_as_much_as_is_taken(reactor, sending, EVENT * MANY)
    assert left
    assert receiver.unsent < 2 * HIGH_WATER
    received = 0
    while received < MANY * len(EVENT):
        received += read_all(reading)
        left = send_as_much_as_is_taken(reactor, sending, left) if left else left
        reactor.call_later(0.0, lambda: None)
        reactor.turn()
    assert (left, received) == (b"", MANY * len(EVENT))


def test_a_receiver_that_never_reads_is_dropped_and_the_others_get_the_rest(reactor, connect):
    now = [0.0]
    reactor.clock = lambda: now[0]
    stalled, _ = connect()
    reader, reading = connect()
    receivers = [stalled, reader]

    def drop(peer):
        receivers.remove(peer)
        peer.close()
        relay.on_room(peer)

    relay = EventRelay(reactor, lambda: receivers, drop)
    reader.on_room = relay.on_room
    _, sending = connect(lambda peer, _: relay.pass_on(peer, EVENT))
    left = send_as_much_as_is_taken(reactor, sending, EVENT * MANY)
    assert left
    received = read_all(reading)
    while stalled in receivers:
        now[0] += STALLED_SECONDS / 20
        reactor.call_later(0.0, lambda: None)  # the turn waits for no event: only this clock moves
        reactor.turn()
        received += read_all(reading)
    while received < MANY * len(EVENT):
        left = send_as_much_as_is_taken(reactor, sending, left) if left else left
        received += read_all(reading)
        reactor.call_later(0.0, lambda: None)
        reactor.turn()
    assert left == b""


def test_looks_for_stalled_receivers_do_not_add_up_while_senders_stop_and_continue(reactor, connect):
    """A receiver that reads slowly makes its senders stop and continue without end."""
    receiver, reading = connect()
    relay = EventRelay(reactor, lambda: [receiver], lambda peer: None)
    receiver.on_room = relay.on_room
    sender, _ = connect()
    for _ in range(20):
        relay.pass_on(sender, b"x" * (2 * HIGH_WATER))
        while receiver.unsent:
            read_all(reading)
            reactor.call_later(0.0, lambda: None)
            reactor.turn()
    assert len(reactor._timers) == 1

"""Events through the supervisor: senders wait for slow receivers, and a receiver that never reads is dropped."""

import socket

import pytest

from tetherpy.service.protocol.frames import event
from tetherpy.service.protocol.wait_bounds import STALLED_SECONDS
from tetherpy.service.supervisor.event_relay import HIGH_WATER, EventRelay
from tetherpy.service.supervisor.frame_socket import FrameSocket
from tetherpy.service.supervisor.selector_loop import SelectorLoop

EVENT = event("e", "x" * 100_000)
MANY = 10 * HIGH_WATER // len(EVENT)


@pytest.fixture
def selector_loop():
    selector_loop = SelectorLoop()
    yield selector_loop
    selector_loop.close()


@pytest.fixture
def connect(selector_loop):
    """Return a function that creates a frame socket and returns it with the other end of its connection."""
    ends = []

    def make(on_frame=lambda frame_socket, frame: None, on_room=lambda frame_socket: None):
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        frame_socket = FrameSocket(ours, selector_loop, on_frame, lambda _: None, on_room)
        ends.append((frame_socket, theirs))
        return frame_socket, theirs

    yield make
    for frame_socket, theirs in ends:
        frame_socket.close()
        theirs.close()


def send_as_much_as_is_taken(selector_loop, sending, data):
    """Send data until the socket accepts no more, and return the rest."""
    idle = 0
    selector_loop.call_later(0.0, lambda: None)
    while data and idle < 50:
        try:
            data = data[sending.send(data) :]
            idle = 0
        except BlockingIOError:
            idle += 1
        selector_loop.call_later(0.0, lambda: None)
        selector_loop.turn()
    return data


def read_all(end):
    received = 0
    try:
        while data := end.recv(1 << 16):
            received += len(data)
    except BlockingIOError:
        pass
    return received


def test_a_sender_waits_for_a_slow_receiver_and_all_data_arrives(selector_loop, connect):
    receiver, reading = connect()
    relay = EventRelay(selector_loop, lambda: [receiver])
    receiver.on_room = relay.on_room
    _, sending = connect(lambda frame_socket, _: relay.pass_on(frame_socket, EVENT))
    left = send_as_much_as_is_taken(selector_loop, sending, EVENT * MANY)
    assert left
    assert receiver.unsent < 2 * HIGH_WATER
    received = 0
    while received < MANY * len(EVENT):
        received += read_all(reading)
        left = send_as_much_as_is_taken(selector_loop, sending, left) if left else left
        selector_loop.call_later(0.0, lambda: None)
        selector_loop.turn()
    assert (left, received) == (b"", MANY * len(EVENT))


def test_a_receiver_that_never_reads_is_dropped_and_others_get_the_rest(selector_loop, connect):
    now = [0.0]
    selector_loop.clock = lambda: now[0]
    stalled, _ = connect()
    reader, reading = connect()
    receivers = [stalled, reader]

    def drop(frame_socket):
        receivers.remove(frame_socket)
        frame_socket.close()
        relay.on_room(frame_socket)

    relay = EventRelay(selector_loop, lambda: receivers, drop)
    reader.on_room = relay.on_room
    _, sending = connect(lambda frame_socket, _: relay.pass_on(frame_socket, EVENT))
    left = send_as_much_as_is_taken(selector_loop, sending, EVENT * MANY)
    assert left
    received = read_all(reading)
    while stalled in receivers:
        now[0] += STALLED_SECONDS / 20
        selector_loop.call_later(0.0, lambda: None)  # the iteration waits for no event: only the test clock advances
        selector_loop.turn()
        received += read_all(reading)
    while received < MANY * len(EVENT):
        left = send_as_much_as_is_taken(selector_loop, sending, left) if left else left
        received += read_all(reading)
        selector_loop.call_later(0.0, lambda: None)
        selector_loop.turn()
    assert left == b""


def test_checks_for_stalled_receivers_do_not_accumulate_while_senders_stop_and_continue(selector_loop, connect):
    """A slow receiver makes its senders stop and continue repeatedly."""
    receiver, reading = connect()
    relay = EventRelay(selector_loop, lambda: [receiver], lambda frame_socket: None)
    receiver.on_room = relay.on_room
    sender, _ = connect()
    for _ in range(20):
        relay.pass_on(sender, b"x" * (2 * HIGH_WATER))
        while receiver.unsent:
            read_all(reading)
            selector_loop.call_later(0.0, lambda: None)
            selector_loop.turn()
    assert len(selector_loop._timers) == 1

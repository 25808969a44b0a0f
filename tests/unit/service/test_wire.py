import pytest

from tetherpy.service import MessageError
from tetherpy.service.wire import (
    MAX_FRAME,
    Beat,
    Event,
    Halt,
    Notice,
    Phase,
    Ready,
    StartFailed,
    Status,
    Stop,
    WorkerEntry,
    data_of,
    decode,
    encode,
    event,
)

FRAMES = [
    Stop(1.5),
    Halt(now=True),
    Ready("worker"),
    StartFailed("reason", "line\nline"),
    Beat(),
    Notice("title", "con\ntent", True),
    Status(Phase.READY, 1, (WorkerEntry(2, None), WorkerEntry(3, "id")), "t", "c", False, "e", "tb"),
]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_frame_is_one_line_and_comes_back(frame):
    data = encode(frame)
    assert data.count(b"\n") == 1
    assert decode(data[:-1]) == frame


def test_users_data_comes_back():
    data = event("name", {"text": "two\nlines", "list": [1, None]})
    assert data.count(b"\n") == 1
    frame = decode(data[:-1])
    assert isinstance(frame, Event)
    assert (frame.name, data_of(frame)) == ("name", {"text": "two\nlines", "list": [1, None]})


@pytest.mark.parametrize("data", [object(), "\ud800", {(1, 2): 3}, "x" * MAX_FRAME])
def test_data_that_cannot_be_sent(data):
    with pytest.raises(MessageError, match="'name' cannot be sent"):
        event("name", data)

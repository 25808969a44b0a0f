import msgspec
import pytest

from tetherpy.service import MessageError
from tetherpy.service.protocol.frames import (
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
    Working,
    data_of,
    decode,
    encode,
    event,
)

FRAMES = [
    Stop(1.5),
    Working(),
    Halt(now=True),
    Ready("worker"),
    StartFailed("reason", "line\nline"),
    Beat(),
    Notice("title", "con\ntent", True),
    Status(Phase.READY, 1, (WorkerEntry(2, None), WorkerEntry(3, "id")), "t", "c", False, "e", "tb"),
]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_a_frame_is_one_line_and_decodes_to_itself(frame):
    data = encode(frame)
    assert data.count(b"\n") == 1
    assert decode(data[:-1]) == frame


def test_user_data_decodes_to_itself():
    data = event("name", {"text": "two\nlines", "list": [1, None]})
    assert data.count(b"\n") == 1
    frame = decode(data[:-1])
    assert isinstance(frame, Event)
    assert (frame.name, data_of(frame)) == ("name", {"text": "two\nlines", "list": [1, None]})


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


def test_data_as_deep_as_a_payload_decodes_to_itself():
    frame = decode(event("name", nested(200))[:-1])
    assert data_of(frame) == nested(200)


def test_encoded_json_is_sent_on_one_line():
    data = event("name", msgspec.Raw(b'{"a": [1,\n 2]}'))
    assert data.count(b"\n") == 1
    assert data_of(decode(data[:-1])) == {"a": [1, 2]}


RAW = [b"1e400", b'"\xff"', b"}{", b'1}\n{"type":"stop","timeout":0}\n{"a":1', b"[" * 300 + b"]" * 300]


@pytest.mark.parametrize(
    "data",
    [object(), "\ud800", {(1, 2): 3}, "x" * MAX_FRAME, float("inf"), nested(201), nested(980), *map(msgspec.Raw, RAW)],
)
def test_data_that_cannot_be_encoded_is_refused(data):
    with pytest.raises(MessageError, match="'name' cannot be sent"):
        event("name", data)

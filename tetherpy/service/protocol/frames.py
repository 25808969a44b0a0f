"""The frames between app, supervisor and worker: one JSON object per line.

App and supervisor talk over a Unix socket beside the database. Worker and supervisor share two socket pairs:
one for control and one for events, so that many events never keep a command or a heartbeat waiting.
The end of a stream says that the other side is gone.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeAlias

import msgspec

from tetherpy.jobs import PayloadError, PayloadTooLargeError
from tetherpy.jobs import encode as encode_payload

from ..errors import FrameError, MessageError
from .settings import ServiceSettings

MAX_FRAME = 1 << 20
"""Bytes in one frame, its newline included."""


class Phase(StrEnum):
    """Say where a worker group is in its life."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    FAILED = "failed"


class Event(msgspec.Struct, frozen=True, tag="event"):
    """A message of the user's: from an app to all workers, or from a worker to all apps."""

    name: str
    data: msgspec.Raw


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Ask the supervisor to end the group; jobs may take ``timeout`` seconds to finish."""

    timeout: float


class Halt(msgspec.Struct, frozen=True, tag="halt"):
    """Tell a worker to end: finish what runs, or release it ``now``."""

    now: bool


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """A worker takes jobs from here on."""

    worker_id: str


class Working(msgspec.Struct, frozen=True, tag="working"):
    """A worker has claimed its first job."""


class StartFailed(msgspec.Struct, frozen=True, tag="start_failed"):
    """A worker could not start."""

    reason: str
    traceback: str


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """A worker's event loop turns."""


class Notice(msgspec.Struct, frozen=True, tag="notice"):
    """A worker's notification changed."""

    title: str
    content: str
    foreground: bool


class WorkerEntry(msgspec.Struct, frozen=True):
    """One worker process as the supervisor knows it; ``id`` is None until it is ready."""

    pid: int
    id: str | None


class Status(msgspec.Struct, frozen=True, tag="status"):
    """The group's state, sent to an app when it connects and whenever it changed."""

    phase: Phase
    supervisor: int
    workers: tuple[WorkerEntry, ...]
    title: str
    content: str
    foreground: bool
    error: str = ""
    traceback: str = ""
    settings: ServiceSettings | None = None


Frame: TypeAlias = Event | Stop | Halt | Ready | Working | StartFailed | Beat | Notice | Status

_decoder = msgspec.json.Decoder(Frame)
_encoder = msgspec.json.Encoder()


def encode(frame: Frame) -> bytes:
    """Write a frame with its newline."""
    return _encoder.encode(frame) + b"\n"


def decode(line: bytes | bytearray) -> Frame:
    """Read one frame; ``FrameError`` for whatever else the line holds, an event's data included."""
    try:
        frame: Frame = _decoder.decode(line)
        if isinstance(frame, Event):
            encode_payload(data_of(frame), MAX_FRAME)
    except (msgspec.MsgspecError, PayloadError, UnicodeError, RecursionError, OverflowError) as error:
        raise FrameError(f"{type(error).__name__}: {error}") from error
    return frame


def event(name: str, data: object) -> bytes:
    """Write a user's message; ``MessageError`` if it is not JSON, nested too deeply or too large."""
    try:
        # Read back and written again: text that the data brings along ready-made is checked too, and is one line.
        plain = msgspec.json.decode(encode_payload(data, MAX_FRAME) or "null")
        frame = encode(Event(name, msgspec.Raw((encode_payload(plain, MAX_FRAME) or "null").encode())))
    except PayloadTooLargeError as error:
        raise MessageError(name, _too_large(error.size)) from error
    except (PayloadError, msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MessageError(name, f"its data is no JSON ({error})") from error
    if len(frame) > MAX_FRAME:
        raise MessageError(name, _too_large(len(frame)))
    return frame


def data_of(frame: Event) -> Any:
    """Decode the data of a user's message."""
    return msgspec.json.decode(frame.data)


def _too_large(size: int) -> str:
    return f"it takes {size:,} bytes, the bound is {MAX_FRAME:,}; store the data and send its id"

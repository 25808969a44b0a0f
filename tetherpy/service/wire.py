"""What app, supervisor and worker say to each other: one JSON object per line.

App and supervisor talk over a Unix socket beside the database, worker and supervisor over the
socket pair that the worker was forked with. The end of a stream is news too: that side is gone.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeAlias

import msgspec

from .errors import MessageError

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
    """Ask the supervisor to end the group; after ``timeout`` seconds nothing is waited for."""

    timeout: float


class Halt(msgspec.Struct, frozen=True, tag="halt"):
    """Tell a worker to end: finish what runs, or hand it back ``now``."""

    now: bool


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """A worker takes jobs from here on."""

    worker_id: str


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
    """The group's state, told to an app when it connects and whenever it changed."""

    phase: Phase
    supervisor: int
    workers: tuple[WorkerEntry, ...]
    title: str
    content: str
    foreground: bool
    error: str = ""
    traceback: str = ""


Frame: TypeAlias = Event | Stop | Halt | Ready | StartFailed | Beat | Notice | Status

_decoder = msgspec.json.Decoder(Frame)
_encoder = msgspec.json.Encoder()


def encode(frame: Frame) -> bytes:
    """Write a frame with its newline."""
    return _encoder.encode(frame) + b"\n"


def decode(line: bytes | bytearray) -> Frame:
    """Read one frame; ``msgspec.MsgspecError`` if it is none."""
    frame: Frame = _decoder.decode(line)
    return frame


def event(name: str, data: object) -> bytes:
    """Write a user's message; ``MessageError`` if it is no JSON or too large."""
    try:
        frame = encode(Event(name, msgspec.Raw(_encoder.encode(data))))
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise MessageError(name, f"its data is no JSON ({error})") from error
    if len(frame) > MAX_FRAME:
        reason = f"it takes {len(frame):,} bytes, the bound is {MAX_FRAME:,}; store the data and send its id"
        raise MessageError(name, reason)
    return frame


def data_of(frame: Event) -> Any:
    """Decode the data of a user's message."""
    return msgspec.json.decode(frame.data)

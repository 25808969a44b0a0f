"""The frames between app, supervisor and worker: one JSON object per line.

App and supervisor are connected by a Unix socket in the service folder. Worker and supervisor share two socket pairs:
one for control and one for events, so that many events never delay a command or a heartbeat. The end of a stream
means that the other process has ended.
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
"""Maximum bytes of a frame, its newline included."""


class Phase(StrEnum):
    """The phase of a worker group."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    FAILED = "failed"


class Event(msgspec.Struct, frozen=True, tag="event"):
    """A message of the user, from an app to all workers or from a worker to all apps."""

    name: str
    data: msgspec.Raw


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """A request to the supervisor to end the group; jobs may take ``timeout`` seconds to finish."""

    timeout: float


class Halt(msgspec.Struct, frozen=True, tag="halt"):
    """A request to a worker to end after its running jobs, or to release them ``now``."""

    now: bool


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """A worker is ready for jobs; ``code`` has the files of ``code_files``."""

    worker_id: str
    code: dict[str, float] = {}


class Working(msgspec.Struct, frozen=True, tag="working"):
    """A worker has claimed its first job."""


class StartFailed(msgspec.Struct, frozen=True, tag="start_failed"):
    """A worker could not start."""

    reason: str
    traceback: str


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """A sign that the event loop of a worker is running."""


class Notice(msgspec.Struct, frozen=True, tag="notice"):
    """The notification of a worker changed."""

    title: str
    content: str
    foreground: bool


class WorkerEntry(msgspec.Struct, frozen=True):
    """One worker process; ``id`` is None until it is ready."""

    pid: int
    id: str | None


class Status(msgspec.Struct, frozen=True, tag="status"):
    """The state of the group, sent to an app when it connects and after each change.

    ``since`` is the start of its oldest worker, seconds since 1970. ``changed`` are files of the app that its workers
    have loaded before they were changed. ``in_foreground`` says that ``run_worker`` runs it, not ``start``.
    """

    phase: Phase
    supervisor: int
    workers: tuple[WorkerEntry, ...]
    title: str
    content: str
    foreground: bool
    error: str = ""
    traceback: str = ""
    settings: ServiceSettings | None = None
    since: float | None = None
    changed: tuple[str, ...] = ()
    in_foreground: bool = False


Frame: TypeAlias = Event | Stop | Halt | Ready | Working | StartFailed | Beat | Notice | Status

_decoder = msgspec.json.Decoder(Frame)
_encoder = msgspec.json.Encoder()


def encode(frame: Frame) -> bytes:
    """Return the bytes of a frame, with a newline."""
    return _encoder.encode(frame) + b"\n"


def decode(line: bytes | bytearray) -> Frame:
    """Return the frame in a line; raises ``FrameError`` if the line or the data of an event is not valid."""
    try:
        frame: Frame = _decoder.decode(line)
        if isinstance(frame, Event):
            encode_payload(data_of(frame), MAX_FRAME)
    except (msgspec.MsgspecError, PayloadError, UnicodeError, RecursionError, OverflowError) as error:
        raise FrameError(f"{type(error).__name__}: {error}") from error
    return frame


def event(name: str, data: object) -> bytes:
    """Return the frame of a message; raises ``MessageError`` if it is not JSON, nested too deeply or too large."""
    try:
        # Decoded and encoded again, so that raw JSON in the data is validated too, and is on one line.
        plain = msgspec.json.decode(encode_payload(data, MAX_FRAME) or "null")
        frame = encode(Event(name, msgspec.Raw((encode_payload(plain, MAX_FRAME) or "null").encode())))
    except PayloadTooLargeError as error:
        raise MessageError(name, _too_large(error.size)) from error
    except (PayloadError, msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MessageError(name, f"its data is not JSON ({error})") from error
    if len(frame) > MAX_FRAME:
        raise MessageError(name, _too_large(len(frame)))
    return frame


def data_of(frame: Event) -> Any:
    """Decode the data of a message."""
    return msgspec.json.decode(frame.data)


def _too_large(size: int) -> str:
    return f"it has {size:,} bytes, more than {MAX_FRAME:,}; store the data and send its id"

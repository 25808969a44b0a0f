"""The settings that the engines have in common."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import attrs

from ..arguments import to_count
from ..leases import DEFAULT_LEASE, lease_span
from ..payload.encoding import MAX_PAYLOAD_BYTES
from .row_decoding import JobReader
from .timestamps import WallClock, utc_now


def _size(value: int) -> int:
    return to_count("max_payload_bytes", value)


@attrs.define(eq=False)
class EngineSettings:
    """Base of the engines.

    Attributes:
        lease: how long a worker that hangs, or whose machine is gone, keeps its jobs.
        clock: the time of day, for tests.
        monotonic: a clock that is never set, for tests.
        max_payload_bytes: the limit of a payload or result as JSON.
    """

    lease: timedelta = attrs.field(default=DEFAULT_LEASE, converter=lease_span, kw_only=True)
    clock: WallClock = attrs.field(default=utc_now, kw_only=True)
    monotonic: Callable[[], float] = attrs.field(default=time.monotonic, kw_only=True)
    max_payload_bytes: int = attrs.field(default=MAX_PAYLOAD_BYTES, converter=_size, kw_only=True)
    _is_prepared: bool = attrs.field(init=False, default=False)
    _reader: JobReader = attrs.field(init=False, factory=JobReader)

    def now(self) -> datetime:
        """Return the time of ``clock``."""
        return self.clock()

"""What a worker process is told when it is launched."""

from __future__ import annotations

from datetime import timedelta

import attrs
import msgspec

from tetherpy.database import redacted

DEFAULT_LEASE = timedelta(seconds=30)


def _positive(_: object, attribute: attrs.Attribute[int], value: int) -> None:
    if value < 1:
        message = f"{attribute.name} is {value}; a worker needs at least 1."
        raise ValueError(message)


@attrs.frozen(kw_only=True)
class WorkerConfig:
    """Hold everything that differs between one worker group and another.

    ``lease`` is how long a worker may be silent before others take its jobs; ``queues`` None
    serves all queues; ``sys_path`` is the app's, so that the callback resolves as it does there.
    """

    database: str = attrs.field(repr=redacted)
    callback: str
    notification_title: str = ""
    notification_content: str = ""
    concurrency: int = attrs.field(default=10, validator=_positive)
    processes: int = attrs.field(default=1, validator=_positive)
    retention: timedelta | None = None
    queues: tuple[str, ...] | None = None
    lease: timedelta = DEFAULT_LEASE
    sys_path: tuple[str, ...] = ()
    python_path: str | None = None

    def __attrs_post_init__(self) -> None:
        for name, span in (("lease", self.lease), ("retention", self.retention)):
            if span is not None and span <= timedelta(0):
                message = f"{name} is {span}; it must be longer than zero."
                raise ValueError(message)

    def encode(self) -> bytes:
        """Write the configuration for the process that becomes the supervisor; a password may be in it."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> WorkerConfig:
        """Read what ``encode`` wrote."""
        return msgspec.json.decode(data, type=cls)

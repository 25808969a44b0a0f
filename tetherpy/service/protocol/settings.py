"""The settings of a service, and the configuration of its worker processes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Literal, TypeAlias, TypeVar, cast, get_args

import attrs
import msgspec

from tetherpy.arguments import to_count, to_items, to_string, wrong_type
from tetherpy.database import redacted
from tetherpy.durations import to_optional_span, to_span

from ..errors import ServiceArgumentError

DEFAULT_LEASE = timedelta(seconds=30)
DEFAULT_UNKNOWN_KEY_GRACE = timedelta(seconds=60)
T = TypeVar("T")
LogLevel: TypeAlias = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
LogFormat: TypeAlias = Literal["text", "json"]
MAX_CHARACTERS = 4_000
"""Maximum characters of a notification's title or content, so that they fit into a frame."""


def shown(text: str) -> str:
    """Truncate a displayed text and escape its lone surrogates."""
    return text[:MAX_CHARACTERS].encode(errors="backslashreplace").decode()


def _title(value: str) -> str:
    return shown(to_string(ServiceArgumentError, "initial_notification_title", value))


def _content(value: str) -> str:
    return shown(to_string(ServiceArgumentError, "initial_notification_content", value))


def _concurrency(value: int) -> int:
    return to_count(ServiceArgumentError, "concurrency", value)


def _processes(value: int) -> int:
    return to_count(ServiceArgumentError, "processes", value)


def _pool_size(value: int) -> int:
    return to_count(ServiceArgumentError, "pool_size", value)


def _queues(value: Iterable[str] | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    expected = 'several names, such as ("mail",)'
    if isinstance(value, str | bytes):
        raise wrong_type(ServiceArgumentError, "queues", value, expected)
    names = to_items(ServiceArgumentError, "queues", value, expected)
    return tuple(to_string(ServiceArgumentError, "queues", name) for name in names)


def _log_level(value: str) -> LogLevel:
    level = to_string(ServiceArgumentError, "log_level", value).upper()
    return cast("LogLevel", one_of("log_level", level, LogLevel))


def _log_format(value: str) -> LogFormat:
    return cast("LogFormat", one_of("log_format", value, LogFormat))


def one_of(name: str, value: T, literal: Any) -> T:
    """Return a value of a ``Literal``; raises ``ServiceArgumentError`` for another one."""
    if value not in get_args(literal):
        raise ServiceArgumentError(name, value, f"it must be one of {', '.join(get_args(literal))}")
    return value


def _retention(value: timedelta | float | None) -> timedelta | None:
    return to_optional_span("retention", value, positive=True)


def _unknown_key_grace(value: timedelta | float) -> timedelta:
    return to_span("unknown_key_grace", value, positive=True)


def _lease(value: timedelta | float) -> timedelta:
    return to_span("lease", value, positive=True)


@attrs.frozen(kw_only=True)
class ServiceSettings:
    """The settings that are compared when an app attaches to a running service.

    The jobs of a worker without a heartbeat for ``lease`` are rescued. ``queues`` None serves all queues.
    """

    callback: str
    concurrency: int = 10
    processes: int = 1
    queues: tuple[str, ...] | None = None
    retention: timedelta | None = None
    lease: timedelta = DEFAULT_LEASE
    log_level: LogLevel = "INFO"
    log_format: LogFormat = "text"
    job_logs: bool = True

    def __str__(self) -> str:
        queues = "all queues" if self.queues is None else "queues " + ", ".join(self.queues)
        kept = "" if self.retention is None else f", retention {self.retention}"
        level = "" if self.log_level == "INFO" else f", log level {self.log_level}"
        form = "" if self.log_format == "text" else f", log format {self.log_format}"
        stored = "" if self.job_logs else ", no job logs"
        return (
            f"{self.callback}, concurrency {self.concurrency}, processes {self.processes}, {queues}{kept}, "
            f"lease {self.lease}{level}{form}{stored}"
        )


@attrs.frozen(kw_only=True)
class WorkerConfig:
    """The configuration of a worker group.

    ``sys_path`` is that of the app, so that the callback resolves as it does there; ``pool_size`` is that of
    ``open_database``.
    """

    database: str = attrs.field(repr=redacted)
    callback: str
    notification_title: str = attrs.field(default="", converter=_title)
    notification_content: str = attrs.field(default="", converter=_content)
    concurrency: int = attrs.field(default=10, converter=_concurrency)
    processes: int = attrs.field(default=1, converter=_processes)
    retention: timedelta | None = attrs.field(default=None, converter=_retention)
    queues: tuple[str, ...] | None = attrs.field(default=None, converter=_queues)
    lease: timedelta = attrs.field(default=DEFAULT_LEASE, converter=_lease)
    pool_size: int = attrs.field(default=10, converter=_pool_size)
    sys_path: tuple[str, ...] = ()
    python_path: str | None = None
    unknown_key_grace: timedelta = attrs.field(default=DEFAULT_UNKNOWN_KEY_GRACE, converter=_unknown_key_grace)
    log_level: LogLevel = attrs.field(default="INFO", converter=_log_level)
    log_format: LogFormat = attrs.field(default="text", converter=_log_format)
    job_logs: bool = True
    reload: bool = False

    @property
    def settings(self) -> ServiceSettings:
        """Return the settings of the service."""
        return ServiceSettings(
            callback=self.callback,
            concurrency=self.concurrency,
            processes=self.processes,
            queues=self.queues,
            retention=self.retention,
            lease=self.lease,
            log_level=self.log_level,
            log_format=self.log_format,
            job_logs=self.job_logs,
        )

    def encode(self) -> bytes:
        """Return the configuration as JSON, for the supervisor; it may contain a password."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> WorkerConfig:
        """Return the configuration in the JSON from ``encode``."""
        return msgspec.json.decode(data, type=cls)

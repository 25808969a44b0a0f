"""Background jobs: what a job is, its states, and the engines that keep it.

Names are imported when first used: a worker needs neither the manager nor what is behind its streams.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .backoff import Backoff
    from .capabilities import EngineCapabilities
    from .control import CancelJob, DoNotRetry, Snooze
    from .copying import CopyProgress, CopyReport, copy_jobs
    from .cron import Cron
    from .engine import JobEngine, JobStore, WorkQueue
    from .enqueue_options import EnqueueOptions
    from .errors import (
        ClaimLostError,
        CopyDiffersError,
        CopyRefusedError,
        CronMissingError,
        EngineLimitError,
        ForeignQueueError,
        IllegalJobTransitionError,
        JobArgumentError,
        JobError,
        JobNotFoundError,
        JobRunningError,
        JobTablesMissingError,
        JobTimeoutError,
        JobWaitTimeoutError,
        PayloadDecodeError,
        PayloadEncodeError,
        PayloadError,
        PayloadTooLargeError,
        ScheduleError,
        SchemaMissingError,
        UniqueJobError,
        UnknownStatusError,
        UnreadableJobError,
    )
    from .json_types import find_undecodable
    from .manager import BackgroundJobManager
    from .model import BackgroundJob, JobAttempt, JobCounts, NewJob, WorkerRecord
    from .observed_waits import WaitObserver, observed_wait, wait_observer
    from .opening import engine_of, open_database, open_engine
    from .outcomes import (
        Cancelled,
        Claim,
        Completed,
        Exchange,
        Failed,
        Outcome,
        Progress,
        Released,
        Settlement,
        Snoozed,
    )
    from .payload import MAX_PAYLOAD_BYTES, decode, decode_as, encode
    from .periodic import Every, Schedule, last_tick
    from .postgres import POSTGRES_CAPABILITIES, POSTGRES_JOB_MIGRATIONS, PostgresJobEngine
    from .query import CreationOrder, JobQuery
    from .sqlite import JOB_MIGRATIONS, SQLITE_CAPABILITIES, SqliteJobEngine, read_jobs
    from .status import LEGAL_MOVES, BackgroundJobStatus, is_legal_move, state_diagram
    from .suggestions import did_you_mean
    from .timeline import JobTimeline, JobTimes, percentile
    from .timestamps import Clock, utc_now

__all__ = [
    "JOB_MIGRATIONS",
    "LEGAL_MOVES",
    "MAX_PAYLOAD_BYTES",
    "POSTGRES_CAPABILITIES",
    "POSTGRES_JOB_MIGRATIONS",
    "SQLITE_CAPABILITIES",
    "BackgroundJob",
    "BackgroundJobManager",
    "BackgroundJobStatus",
    "Backoff",
    "CancelJob",
    "Cancelled",
    "Claim",
    "ClaimLostError",
    "Clock",
    "Completed",
    "CopyDiffersError",
    "CopyProgress",
    "CopyRefusedError",
    "CopyReport",
    "CreationOrder",
    "Cron",
    "CronMissingError",
    "DoNotRetry",
    "EngineCapabilities",
    "EngineLimitError",
    "EnqueueOptions",
    "Every",
    "Exchange",
    "Failed",
    "ForeignQueueError",
    "IllegalJobTransitionError",
    "JobArgumentError",
    "JobAttempt",
    "JobCounts",
    "JobEngine",
    "JobError",
    "JobNotFoundError",
    "JobQuery",
    "JobRunningError",
    "JobStore",
    "JobTablesMissingError",
    "JobTimeline",
    "JobTimeoutError",
    "JobTimes",
    "JobWaitTimeoutError",
    "NewJob",
    "Outcome",
    "PayloadDecodeError",
    "PayloadEncodeError",
    "PayloadError",
    "PayloadTooLargeError",
    "PostgresJobEngine",
    "Progress",
    "Released",
    "Schedule",
    "ScheduleError",
    "SchemaMissingError",
    "Settlement",
    "Snooze",
    "Snoozed",
    "SqliteJobEngine",
    "UniqueJobError",
    "UnknownStatusError",
    "UnreadableJobError",
    "WaitObserver",
    "WorkQueue",
    "WorkerRecord",
    "copy_jobs",
    "decode",
    "decode_as",
    "did_you_mean",
    "encode",
    "engine_of",
    "find_undecodable",
    "is_legal_move",
    "last_tick",
    "observed_wait",
    "open_database",
    "open_engine",
    "percentile",
    "read_jobs",
    "state_diagram",
    "utc_now",
    "wait_observer",
]

_MODULES = {
    "Backoff": "backoff",
    "EngineCapabilities": "capabilities",
    **dict.fromkeys(("CopyProgress", "CopyReport", "copy_jobs"), "copying"),
    **dict.fromkeys(("CancelJob", "DoNotRetry", "Snooze"), "control"),
    **dict.fromkeys(("JobEngine", "JobStore", "WorkQueue"), "engine"),
    "EnqueueOptions": "enqueue_options",
    "BackgroundJobManager": "manager",
    **dict.fromkeys(("BackgroundJob", "JobAttempt", "JobCounts", "NewJob", "WorkerRecord"), "model"),
    **dict.fromkeys(("engine_of", "open_database", "open_engine"), "opening"),
    **dict.fromkeys(
        (
            "Cancelled",
            "Claim",
            "Completed",
            "Exchange",
            "Failed",
            "Outcome",
            "Progress",
            "Released",
            "Settlement",
            "Snoozed",
        ),
        "outcomes",
    ),
    "find_undecodable": "json_types",
    **dict.fromkeys(("MAX_PAYLOAD_BYTES", "decode", "decode_as", "encode"), "payload"),
    "Cron": "cron",
    **dict.fromkeys(("Every", "Schedule", "last_tick"), "periodic"),
    **dict.fromkeys(("POSTGRES_CAPABILITIES", "POSTGRES_JOB_MIGRATIONS", "PostgresJobEngine"), "postgres"),
    **dict.fromkeys(("CreationOrder", "JobQuery"), "query"),
    **dict.fromkeys(("JOB_MIGRATIONS", "SQLITE_CAPABILITIES", "SqliteJobEngine", "read_jobs"), "sqlite"),
    **dict.fromkeys(("LEGAL_MOVES", "BackgroundJobStatus", "is_legal_move", "state_diagram"), "status"),
    "did_you_mean": "suggestions",
    **dict.fromkeys(("JobTimeline", "JobTimes", "percentile"), "timeline"),
    **dict.fromkeys(("Clock", "utc_now"), "timestamps"),
    **dict.fromkeys(("WaitObserver", "observed_wait", "wait_observer"), "observed_waits"),
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{_MODULES.get(name, 'errors')}", __name__), name)
    globals()[name] = value
    return value

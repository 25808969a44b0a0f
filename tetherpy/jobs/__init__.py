"""Background jobs: the model, the life cycle, and the engines that store them.

Names are imported on first use: a worker needs neither the manager nor its streams.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tetherpy.facades import lazy_facade

if TYPE_CHECKING:
    from .capabilities import EngineCapabilities
    from .definitions.annotations import payload_annotation, plain_function
    from .definitions.call_signature import Enqueueable
    from .definitions.decorator import JobDecorator, background_job
    from .definitions.definition import JobDefinition
    from .definitions.ended import JobCancelledError, JobEndedError, JobFailedError
    from .definitions.job_id import JobId
    from .definitions.options import JobOption, OptionKind
    from .engine import JobEngine, JobStore, WorkQueue
    from .errors import (
        ClaimLostError,
        CopyDiffersError,
        CopyRefusedError,
        CronMissingError,
        EngineLimitError,
        ForeignQueueError,
        IllegalJobTransitionError,
        JobArgumentError,
        JobDefinitionError,
        JobError,
        JobMismatchError,
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
    from .handler_signals import CancelJob, DoNotRetry, Snooze
    from .live.observed_waits import WaitObserver, observed_wait, wait_observer
    from .manager import BackgroundJobManager
    from .model import (
        OPTIONS,
        BackgroundJob,
        DefinitionOptions,
        EnqueueOptions,
        JobAttempt,
        JobCounts,
        JobOptions,
        NewJob,
        NewJobOptions,
        WorkerRecord,
    )
    from .opening import engine_of, open_database, open_engine
    from .outcomes import Ack, AckAndFetch, Cancelled, Claim, Completed, Failed, Outcome, Progress, Released, Snoozed
    from .payload.encoding import MAX_PAYLOAD_BYTES, decode, decode_as, encode
    from .postgres import POSTGRES_CAPABILITIES, POSTGRES_JOB_MIGRATIONS, PostgresJobEngine
    from .query import CreationOrder, JobPage, JobQuery, ListOptions
    from .schedules.backoff import Backoff
    from .schedules.cron import Cron
    from .schedules.intervals import Every, Schedule, last_tick
    from .sqlite import JOB_MIGRATIONS, SQLITE_CAPABILITIES, SqliteJobEngine, read_jobs
    from .status import LEGAL_MOVES, BackgroundJobStatus, state_diagram
    from .storage.columns import stored_options
    from .storage.timeline import JobTimeline, JobTimes, percentile
    from .storage.timestamps import WallClock, utc_now
    from .suggestions import did_you_mean
    from .sync_manager import SyncJobManager
    from .transfer import CopyProgress, CopyReport, copy_jobs
    from .transitions import is_legal_move

__all__ = [
    "JOB_MIGRATIONS",
    "LEGAL_MOVES",
    "MAX_PAYLOAD_BYTES",
    "OPTIONS",
    "POSTGRES_CAPABILITIES",
    "POSTGRES_JOB_MIGRATIONS",
    "SQLITE_CAPABILITIES",
    "Ack",
    "AckAndFetch",
    "BackgroundJob",
    "BackgroundJobManager",
    "BackgroundJobStatus",
    "Backoff",
    "CancelJob",
    "Cancelled",
    "Claim",
    "ClaimLostError",
    "Completed",
    "CopyDiffersError",
    "CopyProgress",
    "CopyRefusedError",
    "CopyReport",
    "CreationOrder",
    "Cron",
    "CronMissingError",
    "DefinitionOptions",
    "DoNotRetry",
    "EngineCapabilities",
    "EngineLimitError",
    "EnqueueOptions",
    "Enqueueable",
    "Every",
    "Failed",
    "ForeignQueueError",
    "IllegalJobTransitionError",
    "JobArgumentError",
    "JobAttempt",
    "JobCancelledError",
    "JobCounts",
    "JobDecorator",
    "JobDefinition",
    "JobDefinitionError",
    "JobEndedError",
    "JobEngine",
    "JobError",
    "JobFailedError",
    "JobId",
    "JobMismatchError",
    "JobNotFoundError",
    "JobOption",
    "JobOptions",
    "JobPage",
    "JobQuery",
    "JobRunningError",
    "JobStore",
    "JobTablesMissingError",
    "JobTimeline",
    "JobTimeoutError",
    "JobTimes",
    "JobWaitTimeoutError",
    "ListOptions",
    "NewJob",
    "NewJobOptions",
    "OptionKind",
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
    "Snooze",
    "Snoozed",
    "SqliteJobEngine",
    "SyncJobManager",
    "UniqueJobError",
    "UnknownStatusError",
    "UnreadableJobError",
    "WaitObserver",
    "WallClock",
    "WorkQueue",
    "WorkerRecord",
    "background_job",
    "copy_jobs",
    "decode",
    "decode_as",
    "did_you_mean",
    "encode",
    "engine_of",
    "is_legal_move",
    "last_tick",
    "observed_wait",
    "open_database",
    "open_engine",
    "payload_annotation",
    "percentile",
    "plain_function",
    "read_jobs",
    "state_diagram",
    "stored_options",
    "utc_now",
    "wait_observer",
]

_OF_POSTGRES = ("POSTGRES_CAPABILITIES", "POSTGRES_JOB_MIGRATIONS", "PostgresJobEngine")
_MODULES = {
    "Backoff": "schedules.backoff",
    "EngineCapabilities": "capabilities",
    **dict.fromkeys(("CopyProgress", "CopyReport", "copy_jobs"), "transfer"),
    **dict.fromkeys(("CancelJob", "DoNotRetry", "Snooze"), "handler_signals"),
    **dict.fromkeys(("JobEngine", "JobStore", "WorkQueue"), "engine"),
    "BackgroundJobManager": "manager",
    **dict.fromkeys(
        (
            "OPTIONS",
            "BackgroundJob",
            "DefinitionOptions",
            "EnqueueOptions",
            "JobAttempt",
            "JobCounts",
            "JobOptions",
            "NewJob",
            "NewJobOptions",
            "WorkerRecord",
        ),
        "model",
    ),
    **dict.fromkeys(("JobOption", "OptionKind"), "definitions.options"),
    "stored_options": "storage.columns",
    **dict.fromkeys(("payload_annotation", "plain_function"), "definitions.annotations"),
    **dict.fromkeys(("JobDecorator", "background_job"), "definitions.decorator"),
    "Enqueueable": "definitions.call_signature",
    "JobDefinition": "definitions.definition",
    **dict.fromkeys(("JobCancelledError", "JobEndedError", "JobFailedError"), "definitions.ended"),
    "JobId": "definitions.job_id",
    **dict.fromkeys(("engine_of", "open_database", "open_engine"), "opening"),
    **dict.fromkeys(
        (
            "Cancelled",
            "Claim",
            "Completed",
            "AckAndFetch",
            "Failed",
            "Outcome",
            "Progress",
            "Released",
            "Ack",
            "Snoozed",
        ),
        "outcomes",
    ),
    **dict.fromkeys(("MAX_PAYLOAD_BYTES", "decode", "decode_as", "encode"), "payload.encoding"),
    "Cron": "schedules.cron",
    **dict.fromkeys(("Every", "Schedule", "last_tick"), "schedules.intervals"),
    **dict.fromkeys(_OF_POSTGRES, "postgres"),
    **dict.fromkeys(("CreationOrder", "JobPage", "JobQuery", "ListOptions"), "query"),
    **dict.fromkeys(("JOB_MIGRATIONS", "SQLITE_CAPABILITIES", "SqliteJobEngine", "read_jobs"), "sqlite"),
    **dict.fromkeys(("LEGAL_MOVES", "BackgroundJobStatus", "state_diagram"), "status"),
    "is_legal_move": "transitions",
    "did_you_mean": "suggestions",
    "SyncJobManager": "sync_manager",
    **dict.fromkeys(("JobTimeline", "JobTimes", "percentile"), "storage.timeline"),
    **dict.fromkeys(("WallClock", "utc_now"), "storage.timestamps"),
    **dict.fromkeys(("WaitObserver", "observed_wait", "wait_observer"), "live.observed_waits"),
}

if not TYPE_CHECKING:  # type checkers report the names that are not public
    __getattr__, __dir__ = lazy_facade(
        __name__, __all__, _MODULES, others="errors", needs=dict.fromkeys(_OF_POSTGRES, "psycopg")
    )

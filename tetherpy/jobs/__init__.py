"""Background jobs: what a job is, its states, and the engines that keep it."""

from .backoff import Backoff
from .control import CancelJob, DoNotRetry, Snooze
from .engine import JobEngine, JobStore, WorkQueue
from .errors import (
    ClaimLostError,
    CronMissingError,
    IllegalJobTransitionError,
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
    UniqueJobError,
    UnreadableJobError,
)
from .manager import BackgroundJobManager
from .model import BackgroundJob, JobAttempt, JobCounts, NewJob, WorkerRecord
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
from .periodic import Cron, Every
from .query import CreationOrder, JobQuery
from .sqlite import JOB_MIGRATIONS, SqliteJobEngine
from .status import LEGAL_MOVES, BackgroundJobStatus, is_legal_move, state_diagram

__all__ = [
    "JOB_MIGRATIONS",
    "LEGAL_MOVES",
    "MAX_PAYLOAD_BYTES",
    "BackgroundJob",
    "BackgroundJobManager",
    "BackgroundJobStatus",
    "Backoff",
    "CancelJob",
    "Cancelled",
    "Claim",
    "ClaimLostError",
    "Completed",
    "CreationOrder",
    "Cron",
    "CronMissingError",
    "DoNotRetry",
    "Every",
    "Exchange",
    "Failed",
    "IllegalJobTransitionError",
    "JobAttempt",
    "JobCounts",
    "JobEngine",
    "JobError",
    "JobNotFoundError",
    "JobQuery",
    "JobRunningError",
    "JobStore",
    "JobTablesMissingError",
    "JobTimeoutError",
    "JobWaitTimeoutError",
    "NewJob",
    "Outcome",
    "PayloadDecodeError",
    "PayloadEncodeError",
    "PayloadError",
    "PayloadTooLargeError",
    "Progress",
    "Released",
    "ScheduleError",
    "Settlement",
    "Snooze",
    "Snoozed",
    "SqliteJobEngine",
    "UniqueJobError",
    "UnreadableJobError",
    "WorkQueue",
    "WorkerRecord",
    "decode",
    "decode_as",
    "encode",
    "is_legal_move",
    "state_diagram",
]

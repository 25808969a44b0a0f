"""Every error of the job packages."""

from __future__ import annotations

from datetime import timedelta

from tetherpy.distribution import install_command
from tetherpy.errors import ArgumentError, TetherError, message

from .status import LEGAL_MOVES, BackgroundJobStatus
from .suggestions import did_you_mean


class JobError(TetherError):
    """Base of all errors about jobs."""


@message(
    "There is no job {job_id}: it was never committed to this database, or it was deleted. "
    "Check the id and the database path."
)
class JobNotFoundError(JobError):
    """No job has this id."""

    job_id: int


class JobArgumentError(JobError, ArgumentError):
    """An argument has a type that cannot be stored or queried, or is out of bounds."""


class EngineLimitError(JobArgumentError):
    """A value of a job exceeds a limit of this engine."""

    def __init__(self, engine: str, name: str, value: object, limit: str) -> None:
        super().__init__(name, value, f"the {engine} engine cannot store it, because {limit}")
        self.engine = engine
        self.limit = limit


@message("The definition of the job {job_key!r} is not valid: {reason!c}.")
class JobDefinitionError(JobError):
    """A job definition or its handler is not valid."""

    job_key: str
    reason: str


class UnknownStatusError(JobError, ValueError):
    """The text is not a status of a job."""

    def __init__(self, status: object, names: tuple[str, ...]) -> None:
        self.status = status
        self.names = names
        hint = did_you_mean(str(status).upper(), names)
        super().__init__(f"There is no status {status!r:.60}{hint}. Use one of: {', '.join(names)}.")


@message(
    "This database has no job tables, and this task holds a transaction, during which they cannot be created "
    "outside of it. Either (1) open the database with open_database(address) or "
    "BackgroundJobManager.open(address), or (2) use the manager once before the transaction, or "
    "(3) with SQLite, pass the transaction to enqueue, which creates them in it."
)
class JobTablesMissingError(JobError):
    """The database has no job tables, and the open transaction of the calling task prevents their creation."""


@message(
    "The schema {schema!r} of {database} holds a Procrastinate queue of another program, whose workers would "
    "take these jobs and fail them. Give tetherpy a separate schema: CREATE SCHEMA tetherpy, and "
    "?options=-csearch_path%3Dtetherpy,public at the end of the URL."
)
class ForeignQueueError(JobError):
    """The schema holds a Procrastinate queue that tetherpy did not make."""

    database: str
    schema: str


@message(
    "The search_path of {database} names no existing schema, so the job tables cannot be created. "
    "Create one (CREATE SCHEMA tetherpy), or correct search_path."
)
class SchemaMissingError(JobError):
    """The connection's search path names no schema that exists."""

    database: str


class IllegalJobTransitionError(JobError):
    """A job cannot change from its state to the requested one; ``LEGAL_MOVES`` lists the legal transitions."""

    def __init__(self, job_id: int, source: BackgroundJobStatus, target: BackgroundJobStatus) -> None:
        self.job_id = job_id
        self.source = source
        self.target = target
        legal = ", ".join(LEGAL_MOVES[source]) or "none"
        super().__init__(f"Job {job_id} is {source} and cannot become {target}. From {source} it can become: {legal}.")


@message(
    "{what} cannot be {action} while RUNNING: a worker runs the handler and will store its outcome. "
    "Cancel first, and wait for the end."
)
class JobRunningError(JobError):
    """The operation is not possible while the job is RUNNING."""

    what: str
    action: str


@message(
    "Job {job_id} cannot run again: another PENDING or RUNNING job has its unique key "
    "{unique_key!r}. Wait for that one, or cancel it."
)
class UniqueJobError(JobError):
    """Another active job holds the unique key."""

    job_id: int
    unique_key: str


@message(
    "Attempt {attempt} of job {job_id} no longer belongs to worker {worker_id}: its lease "
    "expired or it was presumed dead, and the job was rescued. Undo the writes of this attempt."
)
class ClaimLostError(JobError):
    """The worker lost its claim on the job; its reports are ignored."""

    job_id: int
    worker_id: str | None
    attempt: int


@message(
    "Job {job_id} cannot be read: its {column} is {value!r:.200}, not written by tetherpy. Correct or delete the row."
)
class UnreadableJobError(JobError):
    """A row has a value that tetherpy never writes."""

    job_id: object
    column: str
    value: object


@message("Job {job_id} is still {status} after {timeout}. Wait longer, or check that a worker runs for this database.")
class JobWaitTimeoutError(JobError, TimeoutError):
    """The wait for a job timed out; the job itself continues."""

    job_id: int
    timeout: timedelta
    status: BackgroundJobStatus


@message(
    "Job {job_id} of this database has the key {found!r}, but this id was returned for a job {expected!r}: it "
    "comes from another database, or this one was replaced. Use a manager of the database in which the job was "
    "enqueued."
)
class JobMismatchError(JobError):
    """The job of an id has another key than the id: they are of different databases."""

    job_id: int
    expected: str
    found: str


@message("Job {job_id} did not finish within {timeout}. Give it a longer timeout or less work.")
class JobTimeoutError(JobError, TimeoutError):
    """One attempt took longer than the job's timeout."""

    job_id: int
    timeout: timedelta


class PayloadError(JobError):
    """Base of the errors about payloads and results."""


@message(
    "The value at {path} cannot be stored as JSON: {reason!c}. Use dict, list, str, numbers, "
    "bool, None, or attrs classes, dataclasses and TypedDicts made of them."
)
class PayloadEncodeError(PayloadError):
    """A value cannot be written as JSON; ``path`` says which, such as ``$.user.tags[2]``."""

    path: str
    reason: str


@message(
    "The value takes {size:,} bytes as JSON; the limit is {limit:,}. Store it in a file or "
    "table and put its name in the payload."
)
class PayloadTooLargeError(PayloadError):
    """A value exceeds the size limit when encoded."""

    size: int
    limit: int


STORED = "stored value"


@message("The {what} does not fit at {path}: {reason!c}.")
class PayloadDecodeError(PayloadError):
    """Stored JSON does not fit the requested type; ``path`` says where, such as ``$.user.age``."""

    path: str
    reason: str
    what: str = STORED


@message(
    "{expression!r} is not a valid schedule: {reason!c}. Write five cron fields (minute, hour, day, "
    "month, weekday), such as '0 3 * * *', and a time zone such as 'Europe/Berlin'."
)
class ScheduleError(JobError):
    """A cron expression or a time zone that gives no ticks."""

    expression: str
    reason: str


@message(f"Cron expressions need the extra 'cron': {install_command('cron')}.")
class CronMissingError(JobError):
    """The library that reads cron expressions is not installed."""


@message("The jobs were not copied: {reason!c}. {advice}")
class CopyRefusedError(JobError):
    """The jobs cannot be copied to the server in its present state, or that of the source."""

    reason: str
    advice: str


@message(
    "The copy differs from its source in the jobs {first_id} to {last_id}: one of them was used during "
    "or after the copy. If it was the source, copy again into an empty database; if it was the target, "
    "the app already uses it."
)
class CopyDiffersError(JobError):
    """The copy differs from its source."""

    first_id: int
    last_id: int

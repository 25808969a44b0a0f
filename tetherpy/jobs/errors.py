"""Every error of the job packages."""

from __future__ import annotations

from datetime import timedelta

from tetherpy.distribution import install_command
from tetherpy.errors import ArgumentError, TetherError, clause

from .status import LEGAL_MOVES, BackgroundJobStatus
from .suggestions import did_you_mean


class JobError(TetherError):
    """Base of all errors about jobs."""


class JobNotFoundError(JobError):
    """No job has this id."""

    def __init__(self, job_id: int) -> None:
        self.job_id = job_id
        super().__init__(
            f"There is no job {job_id}: it was never committed to this database, or it was deleted. "
            "Check the id and the database path."
        )


class JobArgumentError(JobError, ArgumentError):
    """An argument has a type that cannot be stored or queried, or is out of bounds."""


class EngineLimitError(JobArgumentError):
    """A value of a job exceeds a limit of this engine."""

    def __init__(self, engine: str, name: str, value: object, limit: str) -> None:
        super().__init__(name, value, f"the {engine} engine cannot store it, because {limit}")
        self.engine = engine
        self.limit = limit


class JobDefinitionError(JobError):
    """A job definition or its handler is not valid."""

    def __init__(self, job_key: str, reason: str) -> None:
        self.job_key = job_key
        self.reason = reason
        super().__init__(f"The definition of the job {job_key!r} is not valid: {clause(reason)}.")


class UnknownStatusError(JobError, ValueError):
    """The text is not a status of a job."""

    def __init__(self, status: object, names: tuple[str, ...]) -> None:
        self.status = status
        self.names = names
        hint = did_you_mean(str(status).upper(), names)
        super().__init__(f"There is no status {status!r:.60}{hint}. Use one of: {', '.join(names)}.")


class JobTablesMissingError(JobError):
    """The database has no job tables, and the open transaction of the calling task prevents their creation."""

    def __init__(self) -> None:
        super().__init__(
            "This database has no job tables, and this task holds a transaction, during which they cannot be created "
            "outside of it. Either (1) open the database with open_database(address) or "
            "BackgroundJobManager.open(address), or (2) use the manager once before the transaction, or "
            "(3) with SQLite, pass the transaction to enqueue, which creates them in it."
        )


class ForeignQueueError(JobError):
    """The schema holds a Procrastinate queue that tetherpy did not make."""

    def __init__(self, database: str, schema: str) -> None:
        self.database = database
        self.schema = schema
        super().__init__(
            f"The schema {schema!r} of {database} holds a Procrastinate queue of another program, whose workers would "
            "take these jobs and fail them. Give tetherpy a separate schema: CREATE SCHEMA tetherpy, and "
            "?options=-csearch_path%3Dtetherpy,public at the end of the URL."
        )


class SchemaMissingError(JobError):
    """The connection's search path names no schema that exists."""

    def __init__(self, database: str) -> None:
        self.database = database
        super().__init__(
            f"The search_path of {database} names no existing schema, so the job tables cannot be created. "
            "Create one (CREATE SCHEMA tetherpy), or correct search_path."
        )


class IllegalJobTransitionError(JobError):
    """A job cannot change from its state to the requested one; ``LEGAL_MOVES`` lists the legal transitions."""

    def __init__(self, job_id: int, source: BackgroundJobStatus, target: BackgroundJobStatus) -> None:
        self.job_id = job_id
        self.source = source
        self.target = target
        legal = ", ".join(LEGAL_MOVES[source]) or "none"
        super().__init__(f"Job {job_id} is {source} and cannot become {target}. From {source} it can become: {legal}.")


class JobRunningError(JobError):
    """The operation is not possible while the job is RUNNING."""

    def __init__(self, what: str, action: str) -> None:
        self.what = what
        self.action = action
        super().__init__(
            f"{what} cannot be {action} while RUNNING: a worker runs the handler and will store its outcome. "
            "Cancel first, and wait for the end."
        )


class UniqueJobError(JobError):
    """Another active job holds the unique key."""

    def __init__(self, job_id: int, unique_key: str) -> None:
        self.job_id = job_id
        self.unique_key = unique_key
        super().__init__(
            f"Job {job_id} cannot run again: another PENDING or RUNNING job has its unique key "
            f"{unique_key!r}. Wait for that one, or cancel it."
        )


class ClaimLostError(JobError):
    """The worker lost its claim on the job; its reports are ignored."""

    def __init__(self, job_id: int, worker_id: str | None, attempt: int) -> None:
        self.job_id = job_id
        self.worker_id = worker_id
        self.attempt = attempt
        super().__init__(
            f"Attempt {attempt} of job {job_id} no longer belongs to worker {worker_id}: its lease "
            "expired or it was presumed dead, and the job was rescued. Undo the writes of this attempt."
        )


class UnreadableJobError(JobError):
    """A row has a value that tetherpy never writes."""

    def __init__(self, job_id: object, column: str, value: object) -> None:
        self.job_id = job_id
        self.column = column
        self.value = value
        super().__init__(
            f"Job {job_id} cannot be read: its {column} is {value!r:.200}, not written by "
            "tetherpy. Correct or delete the row."
        )


class JobWaitTimeoutError(JobError, TimeoutError):
    """The wait for a job timed out; the job itself continues."""

    def __init__(self, job_id: int, timeout: timedelta, status: BackgroundJobStatus) -> None:
        self.job_id = job_id
        self.timeout = timeout
        self.status = status
        super().__init__(
            f"Job {job_id} is still {status} after {timeout}. "
            "Wait longer, or check that a worker runs for this database."
        )


class JobMismatchError(JobError):
    """The job of an id has another key than the id: they are of different databases."""

    def __init__(self, job_id: int, expected: str, found: str) -> None:
        self.job_id = job_id
        self.expected = expected
        self.found = found
        super().__init__(
            f"Job {job_id} of this database has the key {found!r}, but this id was returned for a job {expected!r}: it "
            "comes from another database, or this one was replaced. Use a manager of the database in which the job was "
            "enqueued."
        )


class JobTimeoutError(JobError, TimeoutError):
    """One attempt took longer than the job's timeout."""

    def __init__(self, job_id: int, timeout: timedelta) -> None:
        self.job_id = job_id
        self.timeout = timeout
        super().__init__(f"Job {job_id} did not finish within {timeout}. Give it a longer timeout or less work.")


class PayloadError(JobError):
    """Base of the errors about payloads and results."""


class PayloadEncodeError(PayloadError):
    """A value cannot be written as JSON; ``path`` says which, such as ``$.user.tags[2]``."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"The value at {path} cannot be stored as JSON: {clause(reason)}. Use dict, list, str, numbers, "
            "bool, None, or attrs classes, dataclasses and TypedDicts made of them."
        )


class PayloadTooLargeError(PayloadError):
    """A value exceeds the size limit when encoded."""

    def __init__(self, size: int, limit: int) -> None:
        self.size = size
        self.limit = limit
        super().__init__(
            f"The value takes {size:,} bytes as JSON; the limit is {limit:,}. Store it in a file or "
            "table and put its name in the payload."
        )


STORED = "stored value"


class PayloadDecodeError(PayloadError):
    """Stored JSON does not fit the requested type; ``path`` says where, such as ``$.user.age``."""

    def __init__(self, path: str, reason: str, what: str = STORED) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"The {what} does not fit at {path}: {clause(reason)}.")


class ScheduleError(JobError):
    """A cron expression or a time zone that gives no ticks."""

    def __init__(self, expression: str, reason: str) -> None:
        self.expression = expression
        self.reason = reason
        super().__init__(
            f"{expression!r} is not a valid schedule: {clause(reason)}. Write five cron fields (minute, hour, day, "
            "month, weekday), such as '0 3 * * *', and a time zone such as 'Europe/Berlin'."
        )


class CronMissingError(JobError):
    """The library that reads cron expressions is not installed."""

    def __init__(self) -> None:
        super().__init__(f"Cron expressions need the extra 'cron': {install_command('cron')}.")


class CopyRefusedError(JobError):
    """The jobs cannot be copied to the server in its present state, or that of the source."""

    def __init__(self, reason: str, advice: str) -> None:
        self.reason = reason
        super().__init__(f"The jobs were not copied: {clause(reason)}. {advice}")


class CopyDiffersError(JobError):
    """The copy differs from its source."""

    def __init__(self, first_id: int, last_id: int) -> None:
        self.first_id = first_id
        self.last_id = last_id
        super().__init__(
            f"The copy differs from its source in the jobs {first_id} to {last_id}: one of them was used during "
            "or after the copy. If it was the source, copy again into an empty database; if it was the target, "
            "the app already uses it."
        )

"""Every error of the job packages."""

from __future__ import annotations

from datetime import timedelta

from tetherpy.errors import ArgumentError, TetherError

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
    """Raised when a value has a type that cannot be stored, or is out of its bounds."""


class UnknownStatusError(JobError, ValueError):
    """A text names no status of a job."""

    def __init__(self, status: object, names: tuple[str, ...]) -> None:
        self.status = status
        self.names = names
        hint = did_you_mean(str(status).upper(), names)
        super().__init__(f"There is no status {status!r:.60}{hint}. Use one of: {', '.join(names)}.")


class JobTablesMissingError(JobError):
    """The database has no job tables yet, and the calling task holds a transaction that keeps them from being made."""

    def __init__(self) -> None:
        super().__init__(
            "This database has no job tables yet, and this task holds a transaction, behind which they would "
            "be made. Open the database with open_database(address) or Database.open(path, migrations=JOB_MIGRATIONS), "
            "use the manager once before the transaction, or give the transaction to enqueue, which makes them in it "
            "where the database is an SQLite file."
        )


class EngineLimitError(JobError, ValueError):
    """A job asks for something that this engine cannot keep."""

    def __init__(self, engine: str, what: str, limit: str) -> None:
        self.engine = engine
        self.what = what
        self.limit = limit
        super().__init__(f"The {engine} engine cannot keep {what}: {limit}. Choose a value within this limit.")


class ForeignQueueError(JobError):
    """The schema holds a Procrastinate queue that tetherpy did not make."""

    def __init__(self, database: str, schema: str) -> None:
        self.database = database
        self.schema = schema
        super().__init__(
            f"The schema {schema!r} of {database} holds a Procrastinate queue of another program, whose workers would "
            "take these jobs and fail them. Give tetherpy a schema of its own: CREATE SCHEMA tetherpy, and "
            "?options=-csearch_path%3Dtetherpy,public at the end of the URL."
        )


class SchemaMissingError(JobError):
    """The connection's search path names no schema that exists."""

    def __init__(self, database: str) -> None:
        self.database = database
        super().__init__(
            f"No schema that the search_path of {database} names exists, so there is no place for the job tables. "
            "Create one (CREATE SCHEMA tetherpy), or correct search_path."
        )


class IllegalJobTransitionError(JobError):
    """The table of legal moves has no such move."""

    def __init__(self, job_id: int, source: BackgroundJobStatus, target: BackgroundJobStatus) -> None:
        self.job_id = job_id
        self.source = source
        self.target = target
        legal = ", ".join(LEGAL_MOVES[source]) or "none"
        super().__init__(f"Job {job_id} is {source} and cannot become {target}. From {source} it can become: {legal}.")


class JobRunningError(JobError):
    """What was asked for is not possible while the job is RUNNING."""

    def __init__(self, what: str, action: str) -> None:
        self.what = what
        self.action = action
        super().__init__(
            f"{what} cannot be {action} while RUNNING: a worker is busy with it and will report to its row. "
            "Cancel it and wait for its end first."
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
            f"Attempt {attempt} of job {job_id} no longer belongs to worker {worker_id}: its lease ran "
            "out or it was taken for dead, and the job was given back. Undo this attempt's writes."
        )


class UnreadableJobError(JobError):
    """A row holds what no version of this library writes."""

    def __init__(self, job_id: object, column: str, value: object) -> None:
        self.job_id = job_id
        self.column = column
        self.value = value
        super().__init__(
            f"Job {job_id} cannot be read: its {column} is {value!r:.200}, which something else than "
            "tetherpy wrote. Correct or delete the row."
        )


class JobWaitTimeoutError(JobError, TimeoutError):
    """The wait for a job timed out; the job itself continues."""

    def __init__(self, job_id: int, timeout: timedelta, status: BackgroundJobStatus) -> None:
        self.job_id = job_id
        self.timeout = timeout
        self.status = status
        super().__init__(
            f"Job {job_id} is still {status} after {timeout}. Wait longer, or see that a worker runs for this database."
        )


class JobTimeoutError(JobError, TimeoutError):
    """One attempt took longer than the job's timeout."""

    def __init__(self, job_id: int, timeout: timedelta) -> None:
        self.job_id = job_id
        self.timeout = timeout
        super().__init__(f"Job {job_id} did not finish within {timeout}. Give it a longer timeout or less to do.")


class PayloadError(JobError):
    """Base of the errors about payloads and results."""


class PayloadEncodeError(PayloadError):
    """A value cannot be written as JSON; ``path`` says which, such as ``$.user.tags[2]``."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"The value at {path} cannot be stored as JSON: {reason}. Use dict, list, str, numbers, "
            "bool, None, or attrs classes, dataclasses and TypedDicts made of them."
        )


class PayloadTooLargeError(PayloadError):
    """A value is larger than the bound when encoded."""

    def __init__(self, size: int, limit: int) -> None:
        self.size = size
        self.limit = limit
        super().__init__(
            f"The value takes {size:,} bytes as JSON; the bound is {limit:,}. Store it in a file or "
            "table and put its name in the payload."
        )


class PayloadDecodeError(PayloadError):
    """Stored JSON does not fit what was asked for; ``path`` says where, such as ``$.user.age``."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"The stored value does not fit at {path}: {reason}.")


class ScheduleError(JobError):
    """A cron expression or a time zone that gives no ticks."""

    def __init__(self, expression: str, reason: str) -> None:
        self.expression = expression
        self.reason = reason
        super().__init__(
            f"{expression!r} is no schedule: {reason}. Write five cron fields (minute, hour, day, month, weekday), "
            "such as '0 3 * * *', and a time zone such as 'Europe/Berlin'."
        )


class CronMissingError(JobError):
    """The library that reads cron expressions is not installed."""

    def __init__(self) -> None:
        super().__init__("Cron expressions need the extra 'cron': pip install 'tetherpy[cron]'.")


class CopyRefusedError(JobError):
    """Jobs cannot be copied to the server as things are."""

    def __init__(self, reason: str, advice: str) -> None:
        self.reason = reason
        super().__init__(f"The jobs were not copied: {reason}. {advice}")


class CopyDiffersError(JobError):
    """What was copied is not what the source holds."""

    def __init__(self, first_id: int, last_id: int) -> None:
        self.first_id = first_id
        self.last_id = last_id
        super().__init__(
            f"The copy differs from its source in the jobs {first_id} to {last_id}: one of both was in use since, or "
            "while, they were copied. If it was the source, copy again into an empty database; if it was the target, "
            "the app has moved already."
        )

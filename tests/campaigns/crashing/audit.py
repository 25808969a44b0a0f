"""The audit: every row and every trace must be explained. It reads with ``sqlite3`` or ``psycopg`` only."""

import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from datetime import datetime

import attrs
import psycopg

from tetherpy.database import is_postgres

from . import script
from .latency import Latencies, measure

NOT_COUNTED = {"snoozed", "released"}
OUTCOMES = {"completed", "failed", "snoozed", "cancelled", "released", "worker died", "lease expired"}


@attrs.frozen
class Report:
    """The result of a campaign, with everything that must not happen."""

    complaints: list
    kills: Counter
    stops: Counter
    jobs: Counter
    outcomes: Counter
    acknowledged: int
    workers: int
    refused: Counter
    late: int
    latencies: Latencies


@attrs.define(eq=False)
class Books:
    """The rows of the database and the traces, joined by job."""

    traces: object
    jobs: dict = attrs.field(factory=dict)
    attempts: dict = attrs.field(factory=lambda: defaultdict(list))
    effects: list = attrs.field(factory=list)
    starts: dict = attrs.field(factory=lambda: defaultdict(list))
    orders: set = attrs.field(factory=set)
    integrity: list = attrs.field(factory=list)
    counts: dict = attrs.field(factory=dict)

    @classmethod
    def open(cls, traces):
        books = cls(traces)
        if is_postgres(traces.database):
            with psycopg.connect(traces.database, row_factory=row_with_texts) as connection:
                books._read(connection)
                books.integrity = ["ok"]
                rows = connection.execute(
                    "SELECT status, sum(jobs)::int AS n FROM tetherpy_job_changes GROUP BY status"
                )
                books.counts = {row["status"]: row["n"] for row in rows if row["n"]}
        else:
            with closing(sqlite3.connect(traces.database)) as connection:
                connection.row_factory = sqlite3.Row
                books._read(connection)
                books.integrity = [row[0] for row in connection.execute("PRAGMA integrity_check")]
                rows = connection.execute("SELECT status, jobs FROM background_service_job_counts WHERE jobs <> 0")
                books.counts = dict(rows.fetchall())
        for start in traces.read("starts"):
            books.starts[start["job"]].append(start)
        return books

    def _read(self, connection):
        self.jobs = {row["id"]: row for row in connection.execute("SELECT * FROM background_service_jobs")}
        for row in connection.execute("SELECT * FROM background_service_job_attempts ORDER BY id"):
            self.attempts[row["job_id"]].append(row)
        self.effects = connection.execute("SELECT * FROM effects").fetchall()
        self.orders = {row["token"] for row in connection.execute("SELECT token FROM orders")}


def row_with_texts(cursor):
    """Return rows like SQLite's: by name, times as text."""
    names = [column.name for column in cursor.description or ()]

    def make(values):
        texts = (value.isoformat() if isinstance(value, datetime) else value for value in values)
        return dict(zip(names, texts, strict=True))

    return make


def audit(traces, failures):
    books = Books.open(traces)
    checks = (integrity, nothing_lost, ended_as_scripted, attempts_add_up, starts_are_explained, effects_are_explained)
    complaints = [*failures, *(complaint for check in checks for complaint in check(books))]
    complaints += [
        f"a start was refused with {refused['reason']}\n{refused['traceback']}"
        for refused in traces.read("refused")
        if refused["traceback"] and "DatabaseUnavailableError" not in refused["traceback"]
    ]
    attempts = [row for rows in books.attempts.values() for row in rows]
    return Report(
        complaints=complaints,
        kills=Counter(kill["kind"] for kill in traces.read("kills")),
        stops=Counter(stop["kind"] for stop in traces.read("stops")),
        jobs=Counter(job["status"] for job in books.jobs.values()),
        outcomes=Counter(row["outcome"] for row in attempts),
        acknowledged=traces.count("acknowledged"),
        workers=traces.count("workers"),
        refused=Counter(refused["reason"] for refused in traces.read("refused")),
        late=count_late(traces),
        latencies=measure(traces, books),
    )


def integrity(books):
    if books.integrity != ["ok"]:
        yield f"integrity_check: {books.integrity}"
    if books.counts != (counted := Counter(job["status"] for job in books.jobs.values())):
        yield f"the counts table says {books.counts}, the jobs are {dict(counted)}"


def nothing_lost(books):
    """Each acknowledged job exists, and each job of a transaction has its order."""
    for promise in books.traces.read("acknowledged"):
        job = books.jobs.get(promise["job"])
        if job is None:
            yield f"job {promise['job']} was acknowledged and is not there"
        elif promise["token"] is not None and (
            job["job_key"] != promise["key"] or f'"{promise["token"]}"' not in job["payload"]
        ):
            yield f"job {promise['job']} was acknowledged as {promise}, and is {dict(job)}"
    for promise in books.traces.read("ordered"):
        if promise["token"] not in books.orders:
            yield f"order {promise['token']} was acknowledged and is not there"
    payloads = "".join(job["payload"] for job in books.jobs.values())
    for token in books.orders:
        if f'"{token}"' not in payloads:
            yield f"order {token} was committed without its job"


def ended_as_scripted(books):
    cancelled = {asked["job"] for asked in books.traces.read("cancelled")}
    for job in books.jobs.values():
        expected = {str(script.BY_KEY[job["job_key"]].ends)} | ({"CANCELLED"} if job["id"] in cancelled else set())
        if job["status"] not in expected:
            yield f"job {job['id']} ({job['job_key']}) is {job['status']}: {job['last_error']}"
        if job["claimed_by"] is not None or job["lease_expires_at"] is not None or job["finished_at"] is None:
            yield f"job {job['id']} is {job['status']} and still has a claim or no end: {dict(job)}"


def attempts_add_up(books):
    """At most one completion: the last attempt, by the worker that held the claim, counted once."""
    for job_id, job in books.jobs.items():
        rows = books.attempts[job_id]
        outcomes = [row["outcome"] for row in rows]
        if unknown := set(outcomes) - OUTCOMES:
            yield f"job {job_id} has attempts that ended as {unknown}"
        counted = [row["attempt"] for row in rows if row["outcome"] not in NOT_COUNTED]
        if counted != list(range(1, job["attempts"] + 1)):
            yield f"job {job_id} has attempts={job['attempts']}, its attempt rows are {counted} ({outcomes})"
        if (job["status"] == "COMPLETED") != ("completed" in outcomes):
            yield f"job {job_id} is {job['status']}, its attempts ended as {outcomes}"
        if "completed" in outcomes[:-1]:
            yield f"job {job_id} was completed and went on: {outcomes}"
        if job["status"] == "COMPLETED":
            last = rows[-1]
            told = f'{{"attempt":{last["attempt"]},"worker":"{last["worker"]}"}}'
            if job["result"] != told:
                yield f"job {job_id} has the result {job['result']}, and was completed by {told}"


def starts_are_explained(books):
    """For each start of a handler there is exactly one attempt of that worker."""
    for job_id, starts in books.starts.items():
        began = Counter((start["attempt"], start["worker"]) for start in starts)
        allowed = Counter((row["attempt"], row["worker"]) for row in books.attempts[job_id])
        if unexplained := began - allowed:
            yield f"job {job_id} began {dict(unexplained)} more often than its attempts explain"
    for job_id, rows in books.attempts.items():
        for row in rows:
            if row["outcome"] == "completed" and (row["attempt"], row["worker"]) not in {
                (start["attempt"], start["worker"]) for start in books.starts[job_id]
            }:
                yield f"job {job_id} was completed by {row['worker']}, which never began it"


def effects_are_explained(books):
    """An exactly-once effect belongs to the one completed attempt, any other to some attempt of its worker."""
    by_job = defaultdict(list)
    for effect in books.effects:
        by_job[effect["job_id"]].append((effect["attempt"], effect["worker"]))
    for job_id, job in books.jobs.items():
        effects = by_job.pop(job_id, [])
        attempts = Counter((row["attempt"], row["worker"]) for row in books.attempts[job_id])
        completed = [(row["attempt"], row["worker"]) for row in books.attempts[job_id] if row["outcome"] == "completed"]
        if job["job_key"] == script.EFFECTS_EXACTLY_ONCE and effects != completed:
            yield f"job {job_id} has the effects {effects}, and was completed by {completed}"
        if job["job_key"] == script.EFFECTS_AT_LEAST_ONCE and not set(completed) <= set(effects):
            yield f"job {job_id} was completed by {completed}, and has only the effects {effects}"
        if unexplained := Counter(effects) - attempts:
            yield f"job {job_id} has effects that no attempt explains: {dict(unexplained)}"
    for job_id, effects in by_job.items():
        yield f"there are effects {effects} of job {job_id}, which is not there"


def count_late(traces):
    """Count the completions in the logs that were rejected because the claim was lost."""
    logs = traces.folder.rglob("worker.log*")
    return sum(log.read_text(errors="replace").count("no longer belongs to this worker") for log in logs)

"""A model of job states, and an engine with several workers that must agree with it after every step."""

import asyncio
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.properties.loop_machine import case_of
from tetherpy.database import Database
from tetherpy.jobs import (
    JOB_MIGRATIONS,
    Ack,
    BackgroundJobStatus,
    Cancelled,
    Claim,
    Completed,
    Failed,
    IllegalJobTransitionError,
    JobQuery,
    JobRunningError,
    NewJob,
    Released,
    Snoozed,
    SqliteJobEngine,
    UniqueJobError,
    is_legal_move,
)

PENDING, RUNNING, CANCELLED = BackgroundJobStatus.PENDING, BackgroundJobStatus.RUNNING, BackgroundJobStatus.CANCELLED
COMPLETED, FAILED = BackgroundJobStatus.COMPLETED, BackgroundJobStatus.FAILED
ACTIVE = {PENDING, RUNNING}
LEASE = timedelta(seconds=30)
LONG = bool(os.environ.get("TETHERPY_FUZZ"))

workers = st.sampled_from(["w1", "w2", "w3"])
picks = st.integers(1, 4)  # counted from the newest, so that steps meet on the same few jobs
seconds = st.integers(0, 40)


@attrs.define
class Expected:
    """The expected state of one job."""

    job_id: int
    priority: int
    run_at: datetime
    max_attempts: int
    unique_key: str | None
    status: BackgroundJobStatus = PENDING
    attempts: int = 0
    holder: str | None = None
    fencing_token: int = 0
    cancel_asked: bool = False
    ended_attempts: int = 0


class JobStates(RuleBasedStateMachine):
    @initialize()
    def open(self):
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.now = datetime(2030, 1, 1, tzinfo=UTC)
        self.ticks = 0.0
        self.opening = Database.open(Path(self.folder.name) / "jobs.db", migrations=JOB_MIGRATIONS, synchronous="OFF")
        db = self.run(self.opening.__aenter__())
        self.engine = SqliteJobEngine(db, lease=LEASE, clock=lambda: self.now, monotonic=lambda: self.ticks)
        self.model: dict[int, Expected] = {}
        self.claims: list[Claim] = []

    def teardown(self):
        if hasattr(self, "runner"):
            self.run(self.opening.__aexit__(None, None, None))
            self.runner.close()
            self.folder.cleanup()

    def run(self, work):
        return self.runner.run(work)

    def pick(self, number) -> Expected:
        return self.model[sorted(self.model)[-min(number, len(self.model))]]

    def another_holds_key(self, job: Expected) -> bool:
        return job.unique_key is not None and any(
            other.unique_key == job.unique_key and other.status in ACTIVE
            for other in self.model.values()
            if other is not job
        )

    @rule(
        priority=st.integers(-1, 1),
        delay=st.sampled_from([None, 0, 5, 60]),
        max_attempts=st.integers(1, 3),
        unique_key=st.sampled_from([None, None, "a", "b"]),
    )
    def enqueue(self, priority, delay, max_attempts, unique_key):
        job = NewJob(job_key="k", priority=priority, delay=delay, max_attempts=max_attempts, unique_key=unique_key)
        (job_id,) = self.run(self.engine.enqueue([job]))
        taken = [
            other.job_id
            for other in self.model.values()
            if unique_key is not None and other.unique_key == unique_key and other.status in ACTIVE
        ]
        if taken:
            assert [job_id] == taken
            return
        assert job_id not in self.model
        run_at = self.now + timedelta(seconds=delay or 0)
        self.model[job_id] = Expected(job_id, priority, run_at, max_attempts, unique_key)

    @rule(worker=workers, slots=st.integers(1, 4))
    def claim(self, worker, slots):
        self.expect_claims(self.run(self.engine.ack_and_fetch(worker, [], slots)).claims, worker, slots)

    def expect_claims(self, claims, worker, slots):
        due = [job for job in self.model.values() if job.status is PENDING and job.run_at <= self.now]
        due.sort(key=lambda job: (-job.priority, job.run_at, job.job_id))
        assert [claim.id for claim in claims] == [job.job_id for job in due[:slots]]
        for claim, job in zip(claims, due, strict=False):
            job.status, job.holder, job.cancel_asked = RUNNING, worker, False
            job.attempts += 1
            job.fencing_token = claim.fencing_token
            assert (claim.worker_id, claim.attempt) == (worker, job.attempts)
            self.claims.append(claim)

    @precondition(lambda self: self.claims)
    @rule(
        number=picks,
        kind=st.sampled_from(["complete", "fail", "retry", "snooze", "cancel", "release"]),
        wait=seconds,
        slots=st.integers(0, 2),
    )
    def settle(self, number, kind, wait, slots):
        claim = self.claims[-min(number, len(self.claims))]
        job = self.model.get(claim.id)
        later = self.now + timedelta(seconds=wait)
        outcome = {
            "complete": Completed("1"),
            "fail": Failed("E: x"),
            "retry": Failed("E: x", None, later),
            "snooze": Snoozed(later),
            "cancel": Cancelled("enough"),
            "release": Released(),
        }[kind]
        valid = (
            job is not None
            and job.status is RUNNING
            and (job.holder, job.fencing_token) == (claim.worker_id, claim.fencing_token)
        )
        ack_and_fetch = self.run(self.engine.ack_and_fetch(claim.worker_id, [Ack(claim, outcome)], slots))
        assert bool(ack_and_fetch.rejected) != valid
        if valid:
            job.ended_attempts += 1
            job.holder = None
            ends = {"complete": COMPLETED, "fail": FAILED, "cancel": CANCELLED}
            job.status = ends.get(kind, CANCELLED if job.cancel_asked else PENDING)
            if kind in {"snooze", "release"}:
                job.attempts -= 1
            if kind in {"retry", "snooze"}:
                job.run_at = later
        self.expect_claims(ack_and_fetch.claims, claim.worker_id, slots)

    def expect_taken_back(self, rescued, lost):
        assert rescued == sorted(job.job_id for job in lost)
        for job in lost:
            job.ended_attempts += 1
            job.holder = None
            if job.cancel_asked:
                job.status = CANCELLED
            else:
                job.status = FAILED if job.attempts >= job.max_attempts else PENDING

    @rule(dead=st.sets(workers, min_size=1, max_size=2))
    def kill(self, dead):
        rescued = self.run(self.engine.rescue(sorted(dead)))
        self.expect_taken_back(
            rescued, [job for job in self.model.values() if job.status is RUNNING and job.holder in dead]
        )

    @rule(alive=st.sets(workers, max_size=2))
    def hang(self, alive):
        assert self.run(self.engine.rescue_expired()) == []
        self.now += LEASE
        self.ticks += LEASE.total_seconds()
        for worker in alive:
            self.run(self.engine.heartbeat(worker))
        lost = [job for job in self.model.values() if job.status is RUNNING and job.holder not in alive]
        self.expect_taken_back(self.run(self.engine.rescue_expired()), lost)

    @rule(span=seconds)
    def pass_time(self, span):
        self.now += timedelta(seconds=span)

    @precondition(lambda self: self.model)
    @rule(number=picks)
    def cancel(self, number):
        job = self.pick(number)
        try:
            self.run(self.engine.request_cancel(job.job_id))
        except IllegalJobTransitionError:
            assert job.status in {COMPLETED, FAILED}
            return
        assert job.status not in {COMPLETED, FAILED}
        if job.status is RUNNING:
            job.cancel_asked = True
        else:
            job.status = CANCELLED

    @precondition(lambda self: self.model)
    @rule(number=picks, reset=st.booleans())
    def retry(self, number, reset):
        job = self.pick(number)
        try:
            self.run(self.engine.retry(job.job_id, reset_attempts=reset))
        except IllegalJobTransitionError:
            assert job.status is PENDING
        except JobRunningError:
            assert job.status is RUNNING
        except UniqueJobError:
            assert job.status.is_finished
            assert self.another_holds_key(job)
        else:
            assert job.status.is_finished
            self.start_again(job)
            if reset:
                job.attempts = 0

    def start_again(self, job):
        job.status, job.run_at, job.cancel_asked = PENDING, self.now, False

    @precondition(lambda self: self.model)
    @rule(number=picks, goal=st.sampled_from(BackgroundJobStatus))
    def move(self, number, goal):
        job = self.pick(number)
        try:
            self.run(self.engine.move(job.job_id, goal))
        except IllegalJobTransitionError:
            assert not is_legal_move(job.status, goal)
            return
        except UniqueJobError:
            assert self.another_holds_key(job)
            return
        assert is_legal_move(job.status, goal)
        if job.status is RUNNING:
            job.ended_attempts += 1
        if job.status.is_finished:
            self.start_again(job)
        if goal is RUNNING:
            job.attempts += 1
        if not goal.is_finished:
            job.cancel_asked = False
        job.status, job.holder = goal, None

    @precondition(lambda self: self.model)
    @rule(number=picks)
    def delete(self, number):
        job = self.pick(number)
        try:
            assert self.run(self.engine.delete(job.job_id))
        except JobRunningError:
            assert job.status is RUNNING
        else:
            assert job.status is not RUNNING
            del self.model[job.job_id]

    @rule(status=st.sampled_from([PENDING, COMPLETED, FAILED, CANCELLED]))
    def sweep(self, status):
        gone = [job.job_id for job in self.model.values() if job.status is status]
        assert self.run(self.engine.delete_by_status(status)) == len(gone)
        for job_id in gone:
            del self.model[job_id]

    @invariant()
    def engine_and_model_agree(self):
        stored, counts, ended = self.run(self.what_is_stored())
        assert [
            (
                job.id,
                job.status,
                job.attempts,
                job.claimed_by,
                job.run_at,
                job.finished_at is not None,
                job.cancel_requested_at is not None,
            )
            for job in stored
        ] == [
            (job.job_id, job.status, job.attempts, job.holder, job.run_at, job.status.is_finished, job.cancel_asked)
            for job in sorted(self.model.values(), key=lambda job: job.job_id)
        ]
        for status in BackgroundJobStatus:
            assert counts.by_status[status] == sum(job.status is status for job in self.model.values())
        assert ended == {job.job_id: job.ended_attempts for job in self.model.values() if job.ended_attempts}

    async def what_is_stored(self):
        """Return all jobs, their counts, and how many ended attempts each has."""
        rows = await self.engine.db.get_all(
            "SELECT job_id, count(*) AS n FROM background_service_job_attempts GROUP BY job_id"
        )
        return (
            await self.engine.find(JobQuery(limit=None, order_by_creation="ASC")),
            await self.engine.counts(),
            {row["job_id"]: row["n"] for row in rows},
        )


TestJobStates = case_of(
    JobStates, settings(max_examples=1_000 if LONG else 20, stateful_step_count=100 if LONG else 40, deadline=None)
)

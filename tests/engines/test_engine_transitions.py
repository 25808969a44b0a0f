"""Both engines store exactly the state that ``transitions`` returns, for random sequences of events."""

import random
from datetime import timedelta

import pytest

from tests.engines.conftest import LEASE
from tetherpy.jobs import (
    Ack,
    BackgroundJobStatus,
    Cancelled,
    Completed,
    Failed,
    IllegalJobTransitionError,
    JobRunningError,
    NewJob,
    Progress,
    Released,
    Snoozed,
)
from tetherpy.jobs.leases import WORKER_DIED
from tetherpy.jobs.transitions import after_cancel, after_move, after_outcome, after_rescue, after_retry

EVENTS = ("claim", "outcome", "outcome", "rescue", "move", "cancel", "retry", "progress")


class Walk:
    """A job, the events that it gets, and a queue and a worker that only this walk uses."""

    def __init__(self, kit, seed):
        self.kit, self.random, self.queue, self.held = kit, random.Random(seed), f"q{seed}", None

    async def begin(self):
        run_at = self.kit.time.now + timedelta(seconds=self.random.choice([-5, 0, 1]))
        job = NewJob(job_key="work", queue=self.queue, max_attempts=self.random.choice([1, 2]), run_at=run_at)
        (self.id,) = await self.kit.engine.enqueue([job])

    async def step(self):
        """Apply one event; return the job before it and the transition of the event, or None."""
        self.kit.time.advance(seconds=self.random.choice([0, 1, 2]))
        job = await self.kit.engine.get(self.id)
        event = self.random.choice(EVENTS)
        return job, await getattr(self, event)(job, self.kit.time.now)

    async def fetch(self, acks, slots):
        return await self.kit.engine.ack_and_fetch(self.queue, acks, slots, [self.queue])

    def holds(self, job):
        return self.held is not None and job.claimed_by == self.queue and job.attempts == self.held.attempt

    async def claim(self, job, now):
        claims = (await self.fetch([], 1)).claims
        assert len(claims) == (job.status is BackgroundJobStatus.PENDING and job.run_at <= now)
        self.held = claims[0] if claims else self.held

    async def progress(self, job, now):
        if self.holds(job):
            await self.kit.engine.report_progress([Progress(self.held, 0.5, "half")])

    async def outcome(self, job, now):
        if self.holds(job):
            later = now + timedelta(seconds=self.random.choice([-1, 0, 1]))
            outcome = self.random.choice(
                [
                    Completed('{"n":1}'),
                    Failed("E: final", "trace"),
                    Failed("E: again", "trace", later),
                    Snoozed(later),
                    Cancelled("reason"),
                    Released(),
                ]
            )
            assert (await self.fetch([Ack(self.held, outcome)], 0)).rejected == ()
            return after_outcome(job, outcome, now)
        return None

    async def rescue(self, job, now):
        if job.claimed_by is not None:
            assert await self.kit.engine.rescue([job.claimed_by]) == [job.id]
            return after_rescue(job, WORKER_DIED, now)
        return None

    async def move(self, job, now):
        status, error = self.random.choice(list(BackgroundJobStatus)), self.random.choice([None, "by hand"])
        return await self.same(
            lambda: after_move(job, status, error, now, LEASE), self.kit.engine.move(job.id, status, error=error)
        )

    async def cancel(self, job, now):
        return await self.same(lambda: after_cancel(job, now), self.kit.engine.request_cancel(job.id))

    async def retry(self, job, now):
        reset = self.random.choice([True, False])
        return await self.same(
            lambda: after_retry(job, reset, now), self.kit.engine.retry(job.id, reset_attempts=reset)
        )

    async def same(self, decide, call):
        """Make the call, and check that it raises the same error as the decision, or none."""
        try:
            decided = decide()
        except (IllegalJobTransitionError, JobRunningError) as error:
            with pytest.raises(type(error)):
                await call
            return None
        assert await call == decided.job
        return decided


async def test_engines_store_the_states_that_transitions_return(kit):
    decided = set()
    for seed in range(20):
        walk = Walk(kit, seed)
        await walk.begin()
        for _ in range(25):
            before, after = await walk.step()
            if after is None:
                continue
            decided.add((before.status, after.job.status, after.attempt and after.attempt.outcome))
            assert await kit.engine.get(walk.id) == after.job
            if after.attempt is not None:
                assert [a for a in await kit.engine.attempts(walk.id) if a.outcome][-1] == after.attempt
    outcomes = {outcome for _, _, outcome in decided}
    assert outcomes >= {"completed", "failed", "snoozed", "cancelled", "released", WORKER_DIED}
    assert len(decided) > 15

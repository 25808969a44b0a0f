"""A retry policy that is given at enqueue is stored with the job."""

from datetime import timedelta

import pytest

from tetherpy.jobs import Backoff, JobArgumentError, JobQuery, NewJob

POLICY = Backoff(initial=timedelta.max, maximum=timedelta.max, jitter=0, max_attempts=9, never=OSError)


async def test_the_policy_of_a_job_is_stored_and_claimed(kit):
    jobs = [NewJob(job_key="k", retry=POLICY), NewJob(job_key="k"), NewJob(job_key="k", retry=POLICY, unique_key="u")]
    await kit.engine.enqueue(jobs)
    claims = await kit.claim(3)
    assert [claim.job.max_attempts for claim in claims] == [9, 3, 9]
    stored = claims[0].job.retry
    assert stored is not None
    assert (stored.initial, stored.never, stored.allows(1, OSError())) == (timedelta.max, ("builtins:OSError",), False)
    assert [claim.job.retry for claim in claims] == [stored, None, stored]


async def test_a_policy_with_a_class_that_no_worker_knows_is_refused_and_nothing_is_stored(kit):
    class LocalError(Exception):
        pass

    with pytest.raises(JobArgumentError, match="top of a module"):
        await kit.engine.enqueue([NewJob(job_key="k"), NewJob(job_key="k", retry=Backoff(never=LocalError))])
    assert (await kit.engine.counts()).total == 0


async def test_a_stored_policy_that_cannot_be_read_breaks_its_own_job_alone(kit):
    await kit.engine.enqueue([NewJob(job_key="bad", retry=POLICY), NewJob(job_key="good", retry=POLICY)])
    table = "background_service_jobs" if kit.name == "sqlite" else "tetherpy_job_records"
    column = "id" if kit.name == "sqlite" else "job_id"
    await kit.execute(f"UPDATE {table} SET retry = '[]' WHERE {column} = (SELECT min({column}) FROM {table})")
    assert [job.job_key for job in await kit.engine.find(JobQuery())] == ["good"]

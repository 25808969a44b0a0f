"""The outcome of a failed attempt by the retry policy of its handler, its definition, or the job itself."""

import pytest

from tetherpy import Backoff, JobDefinition


class DeclinedError(Exception):
    pass


class BusyError(Exception):
    pass


ERRORS = {"declined": DeclinedError, "busy": BusyError}


async def fail(service, payload, db):
    raise ExceptionGroup("both", [ERRORS[payload]("no"), BusyError("busy")])


async def attempts(jobs, payload, *, job="charge", **options):
    job_id = await jobs.enqueue(job, payload, **options)
    await jobs.drain()
    (job,) = [job for job in jobs.enqueued() if job.id == job_id]
    assert job.status == "FAILED"
    return job.attempts


@pytest.mark.parametrize("form", ["registration", "definition"])
async def test_the_policy_of_the_handler_decides_unless_the_job_has_one(jobs, form):
    policy = Backoff(initial=0, never=DeclinedError)
    if form == "registration":
        jobs.register("charge", fail, retry=policy)
    else:
        definition = JobDefinition("charge", payload=str, retry=policy)
        definition.handler(fail)
        await jobs.initialize(lambda service: service.register_jobs(definition))
    assert await attempts(jobs, "declined") == 1
    assert await attempts(jobs, "busy") == 3
    assert await attempts(jobs, "busy", retry=Backoff(initial=0, max_attempts=5)) == 5
    assert await attempts(jobs, "declined", retry=Backoff(initial=0, max_attempts=2)) == 2
    assert await attempts(jobs, "busy", retry=Backoff(initial=0, only=DeclinedError)) == 1


async def test_a_registration_lowers_the_attempts_of_its_jobs(jobs):
    jobs.register("charge", fail, retry=Backoff(initial=0, max_attempts=2))
    assert await attempts(jobs, "busy", max_attempts=9) == 2
    assert await attempts(jobs, "busy", max_attempts=1) == 1


async def test_a_call_overrides_the_attempts_of_the_policy_of_a_definition(jobs):
    charge = JobDefinition("charge", payload=str, retry=Backoff(initial=0, max_attempts=2))
    charge.handler(fail)
    assert await attempts(jobs, "busy", job=charge) == 2
    assert await attempts(jobs, "busy", job=charge, max_attempts=4) == 4
    assert await attempts(jobs, "busy", job=charge, max_attempts=1) == 1
    assert await attempts(jobs, "busy", job=charge, retry=Backoff(initial=0), max_attempts=4) == 4

"""Jobs without a handler wait for one during the grace period, and then fail."""

from datetime import timedelta

from tetherpy.jobs import BackgroundJobStatus, NewJob, WorkerRecord, utc_now
from tetherpy.service.worker.unhandled_jobs import UnhandledJobs

GRACE = 60.0


def worker(name, *keys):
    now = utc_now()
    return WorkerRecord(
        id=name, pid=1, host="here", started_at=now, heartbeat_at=now, job_keys=frozenset(keys) if keys else None
    )


class Ticks:
    now = 1000.0

    def __call__(self):
        return self.now


async def pass_time(watch, ticks, seconds):
    """Advance the clock together with the checks of a running worker."""
    end = ticks.now + seconds
    while ticks.now < end:
        ticks.now = min(end, ticks.now + watch.pause)
        await watch.check()


async def test_jobs_fail_when_no_worker_handles_their_key_during_the_grace_period(engine):
    ticks = Ticks()
    watch = UnhandledJobs(engine, timedelta(seconds=GRACE), ticks)
    await engine.register_worker(worker("w1", "send_mail"))
    ids = await engine.enqueue([NewJob(job_key="sendmail") for _ in range(1_500)])
    await engine.ack_and_fetch("w1", [], 1, keys=["send_mail"])
    await watch.check()
    await pass_time(watch, ticks, GRACE - 1)
    assert (await engine.counts()).pending == len(ids)
    await pass_time(watch, ticks, 1)
    assert (await engine.counts()).failed == len(ids)
    job = await engine.get(ids[0])
    assert "'sendmail' (did you mean 'send_mail'?); registered keys: send_mail" in job.last_error


async def test_jobs_of_a_rolling_deployment_wait_for_the_new_version(engine):
    ticks = Ticks()
    watch = UnhandledJobs(engine, timedelta(seconds=GRACE), ticks)
    await engine.register_worker(worker("old", "old"))
    await engine.enqueue([NewJob(job_key="new"), NewJob(job_key="old")])
    (claim,) = (await engine.ack_and_fetch("old", [], 5, keys=["old"])).claims
    assert claim.job.job_key == "old"
    await watch.check()
    await engine.register_worker(worker("new", "old", "new"))
    await pass_time(watch, ticks, GRACE - 1)
    await engine.unregister_worker("new")
    await pass_time(watch, ticks, GRACE - 1)
    (claim,) = (await engine.ack_and_fetch("newer", [], 5, keys=["new"])).claims
    assert (claim.job.status, claim.attempt) == (BackgroundJobStatus.RUNNING, 1)


async def test_no_key_is_unhandled_while_a_worker_accepts_every_key(engine):
    ticks = Ticks()
    watch = UnhandledJobs(engine, timedelta(seconds=GRACE), ticks)
    await engine.register_worker(worker("any"))
    await engine.enqueue([NewJob(job_key="new")])
    await engine.ack_and_fetch("w1", [], 5, keys=["old"])
    await watch.check()
    await pass_time(watch, ticks, 2 * GRACE)
    assert (await engine.counts()).pending == 1


async def test_suspended_time_of_a_worker_does_not_count_for_the_grace_period(engine):
    ticks = Ticks()
    watch = UnhandledJobs(engine, timedelta(seconds=GRACE), ticks)
    await engine.register_worker(worker("old", "old"))
    await engine.enqueue([NewJob(job_key="new")])
    await engine.ack_and_fetch("old", [], 5, keys=["old"])
    await watch.check()
    ticks.now += 100 * GRACE
    await watch.check()
    assert (await engine.counts()).pending == 1
    await pass_time(watch, ticks, GRACE)
    assert (await engine.counts()).failed == 1

from datetime import UTC, datetime

import pytest

from tetherpy.jobs import EngineLimitError, JobArgumentError, JobQuery, NewJob

HOSTILE = ["'; DROP TABLE procrastinate_jobs; --", '"quoted"', "%s %(x)s $1 ? :name", "\\", "🦆", "a" * 100]


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_stored_unchanged(kit, text):
    job_id = await kit.add(text, queue=text, unique_key=text, payload={text: text})
    job = await kit.engine.get(job_id)
    assert (job.job_key, job.queue, job.unique_key, job.payload) == (text, text, text, {text: text})
    assert [claim.id for claim in await kit.claim(5, queues=[text])] == [job_id]
    for query in (JobQuery(job_key=text), JobQuery(queue=text), JobQuery(unique_key=text), JobQuery(text=text)):
        assert [found.id for found in await kit.engine.find(query)] == [job_id]


async def test_a_payload_may_contain_nul_and_the_last_day_of_the_calendar(kit):
    end = datetime.max.replace(tzinfo=UTC)
    job_id = await kit.add(payload="a\0b", run_at=end)
    job = await kit.engine.get(job_id)
    assert (job.payload, job.run_at) == ("a\0b", end)
    assert await kit.engine.find(JobQuery(text="no such\0text")) == []


async def test_an_engine_refuses_values_beyond_its_declared_limits_before_it_stores_anything(kit):
    too_much = [
        NewJob(job_key="k", priority=2**62),
        NewJob(job_key="k" * 1000),
        NewJob(job_key="k", queue="q" * 1000),
        NewJob(job_key="k\0"),
    ]
    for job in too_much:
        try:
            kit.engine.capabilities.check(job)
        except EngineLimitError:
            with pytest.raises(EngineLimitError):
                await kit.engine.enqueue([NewJob(job_key="fits"), job])
            assert await kit.engine.find(JobQuery()) == []
        else:
            (job_id,) = await kit.engine.enqueue([job])
            assert (await kit.engine.get(job_id)).priority == job.priority
            await kit.engine.delete(job_id)


@pytest.mark.parametrize("size", ["10", 1.5, True, None, 0, -1])
async def test_a_size_of_payloads_that_is_no_positive_integer_is_refused(kit, size):
    with pytest.raises(JobArgumentError, match="max_payload_bytes"):
        type(kit.engine)(kit.engine.db, max_payload_bytes=size)

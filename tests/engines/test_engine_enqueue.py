import pytest

from tests.support.job_options import every_option, expected_options, options_of
from tetherpy.jobs import (
    OPTIONS,
    BackgroundJobStatus,
    JobArgumentError,
    JobDefinition,
    JobQuery,
    NewJob,
    PayloadEncodeError,
    PayloadTooLargeError,
)


async def test_an_enqueued_job_has_all_its_options(kit):
    given = {"payload": {"to": "Ada"}, **every_option()}
    job_id = await kit.add("mail", **given)
    job = await kit.engine.get(job_id)
    assert job is not None
    assert options_of(job) == expected_options()
    assert (job.id, job.job_key, job.payload, job.status) == (
        job_id,
        "mail",
        {"to": "Ada"},
        BackgroundJobStatus.PENDING,
    )
    assert job.run_at == kit.time.now + given["delay"]
    assert job.created_at == job.updated_at == kit.time.now
    assert (job.attempts, job.finished_at, job.last_attempt_at) == (0, None, None)


async def test_a_job_without_options_has_their_defaults(kit):
    job = await kit.engine.get(await kit.add("mail"))
    assert [getattr(job, option.field) for option in OPTIONS if option.stored] == [
        option.default for option in OPTIONS if option.stored
    ]
    assert job.run_at == kit.time.now


async def test_a_claimed_job_has_all_its_options(kit):
    await kit.add("mail", **{**every_option(), "delay": 0, "queue": "default"})
    (claim,) = (await kit.engine.ack_and_fetch("w", [], 1)).claims
    assert options_of(claim.job) == {**expected_options(), "queue": "default"}


async def test_ids_are_in_the_order_of_the_jobs_with_and_without_unique_keys(kit):
    first = await kit.add(unique_key="taken")
    jobs = [NewJob(job_key=str(n), unique_key=key) for n, key in enumerate((None, None, "taken", "new", None))]
    ids = await kit.engine.enqueue(jobs)
    assert ids[2] == first
    stored = await kit.engine.get_many(ids)
    assert [stored[job_id].job_key for job_id in (ids[0], ids[1], ids[3], ids[4])] == ["0", "1", "3", "4"]


async def test_one_unencodable_payload_stores_no_job_of_the_batch(kit):
    with pytest.raises(PayloadEncodeError) as raised:
        await kit.engine.enqueue([NewJob(job_key="a"), NewJob(job_key="b", payload={"x": [object()]})])
    assert raised.value.path == "$.x[0]"
    assert await kit.engine.find(JobQuery()) == []


async def test_a_payload_over_the_size_limit_is_refused(kit):
    with pytest.raises(PayloadTooLargeError) as raised:
        await kit.add(payload="x" * 1024 * 1024)
    assert raised.value.limit == 1024 * 1024
    await kit.add(payload="x" * (1024 * 1024 - 2))


async def test_a_unique_key_is_free_after_its_job_has_finished(kit):
    first = await kit.add(unique_key="nightly")
    assert await kit.add(unique_key="nightly") == first
    claim = await kit.claim_one()
    assert await kit.add(unique_key="nightly") == first
    await kit.engine.move(claim.id, BackgroundJobStatus.COMPLETED)
    assert await kit.add(unique_key="nightly") != first


async def test_a_job_enqueued_in_a_transaction_exists_after_its_commit(kit):
    async with kit.transaction() as transaction:
        (job_id,) = await kit.engine.enqueue([NewJob(job_key="k")], transaction)
        assert await kit.engine.get(job_id) is None
    assert await kit.engine.get(job_id) is not None


async def test_a_job_enqueued_in_a_transaction_that_fails_does_not_exist(kit):
    await kit.add("before")

    async def change_of_mind():
        async with kit.transaction() as transaction:
            await kit.engine.enqueue([NewJob(job_key="k")], transaction)
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        await change_of_mind()
    assert [job.job_key for job in await kit.engine.find(JobQuery())] == ["before"]
    assert (await kit.engine.counts()).pending == 1


async def test_enqueueing_no_jobs_returns_no_ids(kit):
    assert await kit.engine.enqueue([]) == []


async def test_an_id_is_new_unless_its_unique_key_was_taken(kit):
    jobs = [NewJob(job_key="k", unique_key=key) for key in ("a", None, "b", "a")]
    first = await kit.engine.enqueue(jobs)
    assert [job_id.is_new for job_id in first] == [True, True, True, False]
    assert first[3] == first[0]
    second = await kit.engine.enqueue(jobs[:2])
    assert [job_id.is_new for job_id in second] == [False, True]
    assert second[0] == first[0]
    definition = JobDefinition("k", result=int)
    (third,) = await kit.engine.enqueue([definition.new(unique_key="b")])
    assert (third, third.is_new, third.job_key, third.result_type) == (first[2], False, "k", int)
    assert (await kit.engine.get(third)).id == first[2]


async def test_jobs_are_found_by_their_meta(kit):
    first = await kit.add("k", meta={"tenant": "7", "trace": "a'b\"c"})
    second = await kit.add("k", meta={"tenant": "70"}, unique_key="u")
    third = await kit.add("k", meta={})
    assert (await kit.engine.get(first)).meta == {"tenant": "7", "trace": "a'b\"c"}
    assert (await kit.engine.get(third)).meta == {}

    async def found(**query):
        return [job.id for job in await kit.engine.find(JobQuery(**query))]

    assert await found(meta={"tenant": "7"}) == [first]
    assert await found(meta={"trace": "a'b\"c", "tenant": "7"}) == [first]
    assert await found(meta={"tenant": "7", "trace": "other"}) == []
    assert await found(meta={"tenant": "70"}, job_key="k") == [second]
    assert await found(text='"70"') == [second]
    assert await found(meta={}) == [third, second, first]


@pytest.mark.parametrize("meta", [{"a": 1}, {1: "a"}, ["a"], "a", {"a": "\0"}, {"a": "\ud800"}, {"a": "x" * 4096}])
async def test_a_meta_is_a_small_mapping_of_texts(kit, meta):
    with pytest.raises(JobArgumentError):
        await kit.add("k", meta=meta)
    with pytest.raises(JobArgumentError):
        JobQuery(meta=meta)

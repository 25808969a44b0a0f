"""Costs of claims by workers with many queues, in rows that are read and locked."""

from datetime import timedelta

import psycopg

from tests.support.sqlite_steps import steps_of
from tetherpy.jobs import NewJob
from tetherpy.jobs.sqlite.claiming import Offer, ack_and_fetch

QUEUES = [f"q{n}" for n in range(2000)]
SLOTS = 10
LEASE = timedelta(seconds=30)
STEPS_PER_QUEUE = 40
"""Instructions of SQLite to look up the first job of a queue."""
CLAIM = """
SELECT claim FROM tetherpy_ack_and_fetch('w', NULL, NULL, NULL, 10, %s, ARRAY['k'], %s, %s)
WHERE claim IS NOT NULL
"""
ROWS_READ = """
SELECT seq_tup_read + idx_tup_fetch AS rows
FROM pg_stat_xact_user_tables WHERE relname = 'procrastinate_jobs'
"""


async def cost_of_a_claim(kit):
    """Return the rows, or the instructions of SQLite, that a claim of ten jobs reads; undo the claim."""
    now = kit.time.now
    if kit.name == "postgres":
        await kit.execute("ANALYZE procrastinate_jobs, tetherpy_job_records")
        async with await psycopg.AsyncConnection.connect(kit.engine.db.address) as connection:
            before = await (await connection.execute(ROWS_READ)).fetchone()
            assert len(await (await connection.execute(CLAIM, [QUEUES, now, now + LEASE])).fetchall()) == SLOTS
            after = await (await connection.execute(ROWS_READ)).fetchone()
            await connection.rollback()
            return after[0] - (before or (0,))[0]

    def claim(connection):
        fetched = ack_and_fetch(connection, "w", [], SLOTS, Offer.of(QUEUES, ["k"]), now, LEASE)
        assert len(fetched.claims) == SLOTS

    return await steps_of(kit.engine.db, claim)


async def test_a_claim_from_many_queues_reads_the_first_job_of_each(kit):
    await kit.engine.enqueue(NewJob(job_key="k", queue=queue) for queue in QUEUES)
    few = await cost_of_a_claim(kit)
    await kit.engine.enqueue(NewJob(job_key="k", queue=queue, priority=-1) for queue in QUEUES * 5)
    assert await cost_of_a_claim(kit) <= few * 1.2
    if kit.name == "postgres":
        assert few <= len(QUEUES) + 20 * SLOTS
    else:
        assert few <= (len(QUEUES) + 20 * SLOTS) * STEPS_PER_QUEUE


async def test_the_order_of_claims_is_kept_across_many_queues(kit):
    jobs = [NewJob(job_key="k", queue=queue, priority=n * 7919 % 101) for n, queue in enumerate(QUEUES[:100] * 3)]
    await kit.engine.enqueue(jobs)
    claimed = [claim.job.priority for _ in range(6) for claim in await kit.claim(50, queues=QUEUES[:100], keys=["k"])]
    assert claimed == sorted((job.priority for job in jobs), reverse=True)


async def test_jobs_without_a_handler_are_set_aside_in_many_queues(kit):
    await kit.engine.enqueue(NewJob(job_key="other", queue=queue, priority=9) for queue in QUEUES[:100])
    await kit.engine.enqueue(NewJob(job_key="k", queue=queue) for queue in QUEUES[:100])
    claimed = [claim.job.job_key for claim in await kit.claim(SLOTS, queues=QUEUES, keys=["k"])]
    assert claimed == ["k"] * SLOTS
    assert len(await kit.claim(SLOTS, queues=QUEUES, keys=["other"])) == SLOTS

-- Only leases that are still as given. A row that is locked is being settled, extended or taken back: its lease is
-- looked at again with the next beat, and nobody's heartbeat waits for a transaction of somebody else's handler.
SELECT tetherpy_take_back_jobs(ARRAY(
    SELECT job.id FROM procrastinate_jobs AS job
    JOIN tetherpy_job_records AS record ON record.job_id = job.id
    JOIN unnest(%(ids)s::bigint[], %(attempts)s::integer[], %(ends)s::text[]) AS overdue (id, attempt, lease_end)
        ON overdue.id = job.id
    WHERE job.status = 'doing' AND record.attempts = overdue.attempt
        AND record.lease_expires_at IS NOT DISTINCT FROM overdue.lease_end::timestamptz
    ORDER BY job.id
    FOR UPDATE OF job, record SKIP LOCKED
), %(word)s, %(now)s)

-- Only leases that are still as given. A row that is locked is being acknowledged, extended or rescued: its lease is
-- checked again with the next heartbeat, so no heartbeat waits for the transaction of a handler.
WITH lost AS (
    SELECT {lost}
    FROM procrastinate_jobs AS job
    JOIN tetherpy_job_records AS record ON record.job_id = job.id
    JOIN unnest(%(ids)s::bigint[], %(attempts)s::integer[], %(ends)s::text[]) AS overdue (id, attempt, lease_end)
        ON overdue.id = job.id
    WHERE job.status = 'doing' AND record.attempts = overdue.attempt
        AND record.lease_expires_at IS NOT DISTINCT FROM overdue.lease_end::timestamptz
    ORDER BY job.id
    FOR UPDATE OF job, record SKIP LOCKED
), {rescue_of_lost}

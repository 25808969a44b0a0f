-- A row that is locked is being acknowledged: its lease needs no extension, and those of all others do not wait for it.
UPDATE tetherpy_job_records SET lease_expires_at = %(lease)s
WHERE job_id IN (
    SELECT record.job_id
    FROM procrastinate_jobs AS job
    JOIN tetherpy_job_records AS record ON record.job_id = job.id
    WHERE job.status = 'doing' AND record.claimed_by = %(id)s
    FOR UPDATE OF record SKIP LOCKED
)

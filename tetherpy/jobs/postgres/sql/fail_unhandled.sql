WITH failed AS (
    UPDATE procrastinate_jobs SET status = 'failed', tetherpy_unhandled = false
    WHERE id = ANY (ARRAY(
        SELECT job.id FROM procrastinate_jobs AS job
        JOIN tetherpy_job_records AS record ON record.job_id = job.id
        WHERE job.status = 'todo' AND job.tetherpy_due AND job.tetherpy_unhandled AND job.task_name = %(key)s
        LIMIT %(limit)s
        FOR UPDATE OF job SKIP LOCKED
    ))
    RETURNING id
)
UPDATE tetherpy_job_records
SET last_error = %(error)s, finished_at = %(now)s, updated_at = %(now)s
FROM failed
WHERE job_id = failed.id
RETURNING job_id

UPDATE background_service_jobs
SET status = 'FAILED', last_error = :error, finished_at = :now, updated_at = :now, unhandled = 0
WHERE id IN (
    SELECT id FROM background_service_jobs INDEXED BY background_service_jobs_unhandled
    WHERE status = 'PENDING' AND due = 1 AND unhandled = 1 AND job_key IN (CAST(:key AS TEXT), :key)
    LIMIT :limit
)
AND NOT EXISTS (
    SELECT 1 FROM background_service_workers AS worker
    WHERE worker.job_keys IS NULL OR (
        json_valid(worker.job_keys) AND CAST(:key AS TEXT) IN (
            SELECT value FROM json_each(iif(json_valid(worker.job_keys), worker.job_keys, '[]'))
        )
    )
)
RETURNING id

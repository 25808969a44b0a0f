SELECT count(*) FROM (
    SELECT 1 FROM background_service_jobs INDEXED BY background_service_jobs_unhandled
    WHERE status = 'PENDING' AND due = 1 AND unhandled = 1 AND job_key IN (CAST(:key AS TEXT), :key)
    LIMIT :limit
)

-- One step in the index for each key, however many jobs wait.
WITH RECURSIVE keys (name) AS (
    SELECT min(job_key) FROM background_service_jobs INDEXED BY background_service_jobs_unhandled
    WHERE status = 'PENDING' AND due = 1 AND unhandled = 1
    UNION ALL
    SELECT (
        SELECT min(job_key) FROM background_service_jobs INDEXED BY background_service_jobs_unhandled
        WHERE status = 'PENDING' AND due = 1 AND unhandled = 1 AND job_key > name
    )
    FROM keys
    WHERE name IS NOT NULL
)
SELECT CAST(name AS BLOB) FROM keys WHERE name IS NOT NULL

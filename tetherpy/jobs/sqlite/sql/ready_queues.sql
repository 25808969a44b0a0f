-- Every queue that has something to claim: one step in the index for each, however many jobs.
-- Names leave as bytes, since another program may have written text that is not UTF-8.
WITH RECURSIVE queues (name) AS (
    SELECT min(queue) FROM background_service_jobs INDEXED BY background_service_jobs_ready
    WHERE status = 'PENDING' AND due = 1
    UNION ALL
    SELECT (
        SELECT min(queue) FROM background_service_jobs INDEXED BY background_service_jobs_ready
        WHERE status = 'PENDING' AND due = 1 AND queue > name
    )
    FROM queues
    WHERE name IS NOT NULL
)
SELECT CAST(name AS BLOB) FROM queues WHERE name IS NOT NULL

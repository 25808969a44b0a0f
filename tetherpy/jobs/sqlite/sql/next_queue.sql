-- The next queue by name that has something to claim: one step in the index, however many jobs.
-- Names travel as bytes, since another program may have written text that is not UTF-8.
SELECT CAST(min(queue) AS BLOB) FROM background_service_jobs INDEXED BY background_service_jobs_ready
WHERE status = 'PENDING' AND due = 1 AND queue > CAST(? AS TEXT)

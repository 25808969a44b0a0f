-- The text leaves as bytes, since another program may have written some that is not UTF-8.
SELECT CAST(min(run_at) AS BLOB) FROM background_service_jobs INDEXED BY background_service_jobs_delayed
WHERE status = 'PENDING' AND due = 0

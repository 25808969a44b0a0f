SELECT 1 FROM background_service_jobs INDEXED BY background_service_jobs_ready
WHERE status = 'PENDING' AND due = 1 AND queue = CAST(? AS TEXT)
LIMIT 1

SELECT coalesce(-priority, 0), CAST(run_at AS BLOB), id
FROM background_service_jobs INDEXED BY background_service_jobs_ready
WHERE status = 'PENDING' AND due = 1 AND queue = CAST(? AS TEXT)
ORDER BY priority DESC, run_at, id
LIMIT ?

SELECT coalesce(-priority, 0), CAST(run_at AS BLOB), id, CAST(job_key AS BLOB)
FROM background_service_jobs INDEXED BY background_service_jobs_unhandled
WHERE status = 'PENDING' AND due = 1 AND unhandled = 1 AND job_key = CAST(? AS TEXT)
ORDER BY priority DESC, run_at, id
LIMIT ?

SELECT min(run_at) FROM background_service_jobs INDEXED BY background_service_jobs_delayed
WHERE status = 'PENDING' AND due = 0

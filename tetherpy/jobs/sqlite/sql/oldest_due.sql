SELECT min(run_at) FROM background_service_jobs INDEXED BY background_service_jobs_ready
WHERE status = 'PENDING' AND due = 1

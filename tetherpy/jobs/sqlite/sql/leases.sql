SELECT id, attempts, lease_expires_at FROM background_service_jobs INDEXED BY background_service_jobs_status
WHERE status = 'RUNNING'

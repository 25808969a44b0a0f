SELECT id FROM background_service_jobs INDEXED BY background_service_jobs_status
WHERE status = 'RUNNING' AND claimed_by IN (SELECT value FROM json_each(?))

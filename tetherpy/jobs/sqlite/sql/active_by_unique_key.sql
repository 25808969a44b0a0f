SELECT id FROM background_service_jobs
WHERE unique_key = ? AND status IN ('PENDING', 'RUNNING')

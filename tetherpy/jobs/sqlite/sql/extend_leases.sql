UPDATE background_service_jobs INDEXED BY background_service_jobs_status SET lease_expires_at = ?
WHERE status = 'RUNNING' AND claimed_by = ?

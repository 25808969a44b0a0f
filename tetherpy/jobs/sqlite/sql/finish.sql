UPDATE background_service_jobs
SET status = ?, result = ?, last_error = ?, finished_at = ?, updated_at = ?, claimed_by = NULL,
    lease_expires_at = NULL, logs = NULL
WHERE id = ? AND status = 'RUNNING' AND claimed_by = ? AND fencing_token = ?

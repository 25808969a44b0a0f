UPDATE background_service_jobs
SET status = 'RUNNING', attempts = max(coalesce(attempts, 0), 0) + 1, fencing_token = fencing_token + 1, claimed_by = ?,
    lease_expires_at = ?, last_attempt_at = ?, updated_at = ?, progress = NULL, progress_message = NULL,
    cancel_requested_at = NULL, unhandled = 0, logs = NULL
WHERE id IN (SELECT value FROM json_each(?)) AND status = 'PENDING'
RETURNING fencing_token, {columns}

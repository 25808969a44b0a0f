UPDATE background_service_jobs
SET status = CASE
        WHEN cancel_requested_at IS NOT NULL THEN 'CANCELLED'
        WHEN coalesce(attempts, 0) >= coalesce(max_attempts, 3) THEN 'FAILED'
        ELSE 'PENDING'
    END,
    finished_at = CASE
        WHEN cancel_requested_at IS NULL AND coalesce(attempts, 0) < coalesce(max_attempts, 3) THEN NULL
        ELSE :now
    END,
    last_error = :outcome || ': ' || coalesce(claimed_by, 'nobody')
        || ' did not finish attempt ' || coalesce(attempts, 0),
    due = 1, updated_at = :now, claimed_by = NULL, lease_expires_at = NULL, progress = NULL,
    progress_message = NULL
WHERE status = 'RUNNING' AND id IN (SELECT value FROM json_each(:ids))
RETURNING id

UPDATE background_service_jobs
SET status = {status_after_rescue},
    finished_at = CASE WHEN {status_after_rescue} = 'PENDING' THEN NULL ELSE :now END,
    last_error = {rescue_error},
    run_at = min(run_at, :now), due = 1,
    updated_at = :now, claimed_by = NULL, lease_expires_at = NULL, progress = NULL, progress_message = NULL,
    logs = NULL
WHERE status = 'RUNNING' AND id IN (SELECT value FROM json_each(:ids))
RETURNING id

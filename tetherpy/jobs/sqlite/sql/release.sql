UPDATE background_service_jobs
SET status = {status_after_release},
    finished_at = CASE WHEN {status_after_release} = 'PENDING' THEN NULL ELSE :now END,
    attempts = attempts - :uncounted,
    last_error = coalesce(:error, last_error),
    run_at = coalesce(:run_at, run_at),
    due = coalesce(:run_at, run_at) <= :now,
    updated_at = :now, claimed_by = NULL, lease_expires_at = NULL, progress = NULL, progress_message = NULL,
    logs = NULL
WHERE id = :id AND status = 'RUNNING' AND claimed_by = :worker AND fencing_token = :fencing_token

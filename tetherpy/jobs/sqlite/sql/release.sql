-- A job whose cancellation was asked for does not run again.
UPDATE background_service_jobs
SET status = CASE WHEN cancel_requested_at IS NULL THEN 'PENDING' ELSE 'CANCELLED' END,
    finished_at = CASE WHEN cancel_requested_at IS NULL THEN NULL ELSE :now END,
    attempts = attempts - :uncounted,
    last_error = coalesce(:error, last_error),
    run_at = coalesce(:run_at, run_at),
    due = coalesce(:run_at, run_at) <= :now,
    updated_at = :now, claimed_by = NULL, lease_expires_at = NULL, progress = NULL, progress_message = NULL
WHERE id = :id AND status = 'RUNNING' AND claimed_by = :worker AND fence = :fence

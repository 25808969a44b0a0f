UPDATE background_service_jobs
SET status = :status, attempts = :attempts, last_attempt_at = :last_attempt_at, last_error = :last_error,
    finished_at = :finished_at, claimed_by = :claimed_by, lease_expires_at = :lease_expires_at, run_at = :run_at,
    due = due OR :run_at <= :now, result = :result, progress = :progress, progress_message = :progress_message,
    cancel_requested_at = :cancel_requested_at, updated_at = :now, logs = NULL
WHERE id = :id
RETURNING {columns}

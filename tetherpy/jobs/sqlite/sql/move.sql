-- A move by hand: nobody holds a claim after it, so a worker that did is fenced out.
UPDATE background_service_jobs
SET status = :status,
    attempts = CASE WHEN :reset THEN 0 ELSE attempts + :started END,
    last_attempt_at = CASE WHEN :started THEN :now ELSE last_attempt_at END,
    last_error = CASE WHEN :reset THEN NULL ELSE coalesce(:error, last_error) END,
    finished_at = CASE WHEN :finished THEN :now END,
    lease_expires_at = :lease,
    run_at = CASE WHEN :again THEN :now ELSE run_at END,
    due = CASE WHEN :again THEN 1 ELSE due END,
    result = CASE WHEN :again THEN NULL ELSE result END,
    progress = CASE WHEN :again THEN NULL ELSE progress END,
    progress_message = CASE WHEN :again THEN NULL ELSE progress_message END,
    cancel_requested_at = CASE WHEN :again THEN NULL ELSE cancel_requested_at END,
    claimed_by = NULL, updated_at = :now
WHERE id = :id
RETURNING {columns}

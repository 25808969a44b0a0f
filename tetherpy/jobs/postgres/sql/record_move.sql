UPDATE tetherpy_job_records
SET attempts = CASE WHEN %(reset)s THEN 0 ELSE attempts + %(started)s::boolean::integer END,
    last_attempt_at = CASE WHEN %(started)s THEN %(now)s ELSE last_attempt_at END,
    last_error = CASE WHEN %(reset)s THEN NULL ELSE coalesce(%(error)s, last_error) END,
    finished_at = CASE WHEN %(finished)s THEN %(now)s END,
    lease_expires_at = %(lease)s,
    result = CASE WHEN %(again)s THEN NULL ELSE result END,
    progress = CASE WHEN %(again)s THEN NULL ELSE progress END,
    progress_message = CASE WHEN %(again)s THEN NULL ELSE progress_message END,
    cancel_requested_at = CASE WHEN %(again)s THEN NULL ELSE cancel_requested_at END,
    claimed_by = NULL, updated_at = %(now)s
WHERE job_id = %(id)s

WITH queued AS (
    UPDATE procrastinate_jobs
    SET status = %(status)s::procrastinate_job_status, scheduled_at = %(run_at)s,
        tetherpy_due = tetherpy_due OR %(run_at)s::timestamptz <= %(now)s,
        abort_requested = %(cancelling)s, worker_id = CASE WHEN %(claimed_by)s::text IS NOT NULL THEN worker_id END
    WHERE id = %(id)s
)
UPDATE tetherpy_job_records
SET attempts = %(attempts)s, last_attempt_at = %(last_attempt_at)s, last_error = %(last_error)s,
    finished_at = %(finished_at)s, claimed_by = %(claimed_by)s, lease_expires_at = %(lease_expires_at)s,
    result = %(result)s, progress = %(progress)s, progress_message = %(progress_message)s,
    cancel_requested_at = %(cancel_requested_at)s, updated_at = %(now)s, logs = NULL
WHERE job_id = %(id)s

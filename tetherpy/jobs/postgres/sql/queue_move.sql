UPDATE procrastinate_jobs
SET status = %(status)s::procrastinate_job_status,
    scheduled_at = CASE WHEN %(again)s THEN %(now)s ELSE scheduled_at END,
    tetherpy_due = tetherpy_due OR %(again)s, abort_requested = false, worker_id = NULL
WHERE id = %(id)s

SELECT name.key FROM json_each(?) AS name
JOIN background_service_jobs AS job ON job.id = (
    SELECT id FROM background_service_jobs INDEXED BY background_service_jobs_unhandled_in_queue
    WHERE status = 'PENDING' AND due = 1 AND unhandled = 1 AND job_key = CAST(? AS TEXT) AND queue = name.value
    ORDER BY priority DESC, run_at, id
    LIMIT 1
)
ORDER BY job.priority DESC, job.run_at, job.id
LIMIT ?

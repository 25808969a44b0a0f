SELECT attempt, worker, started_at, finished_at, outcome, error, traceback, logs
FROM background_service_job_attempts
WHERE job_id = %(id)s
ORDER BY job_id, id

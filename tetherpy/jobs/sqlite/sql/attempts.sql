SELECT attempt, worker, started_at, finished_at, outcome, error, traceback, logs
FROM background_service_job_attempts
WHERE job_id = ?
ORDER BY id

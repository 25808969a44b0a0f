INSERT INTO background_service_job_attempts (
    job_id, attempt, worker, started_at, finished_at, outcome, error, traceback, logs
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)

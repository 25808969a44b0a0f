INSERT INTO background_service_job_attempts (job_id, attempt, worker, started_at, finished_at, outcome, error, logs)
VALUES (%(id)s, %(attempt)s, %(worker)s, %(started)s, %(now)s, %(outcome)s, %(error)s,
    (SELECT logs FROM tetherpy_job_records WHERE job_id = %(id)s))

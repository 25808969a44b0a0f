INSERT INTO background_service_job_attempts (job_id, attempt, worker, started_at, finished_at, outcome, error)
VALUES (%(id)s, %(attempt)s, %(worker)s, %(started)s, %(now)s, %(outcome)s, %(error)s)

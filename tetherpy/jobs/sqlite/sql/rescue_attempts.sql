INSERT INTO background_service_job_attempts (job_id, attempt, worker, started_at, finished_at, outcome, error, logs)
SELECT id, coalesce(attempts, 0), claimed_by, last_attempt_at, :now, :outcome, {rescue_error}, logs
FROM background_service_jobs
WHERE status = 'RUNNING' AND id IN (SELECT value FROM json_each(:ids))

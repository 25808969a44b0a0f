INSERT INTO background_service_job_attempts (job_id, attempt, worker, started_at, finished_at, outcome, error)
SELECT id, attempts, claimed_by, last_attempt_at, :now, :outcome,
    :outcome || ': ' || coalesce(claimed_by, 'nobody') || ' did not finish attempt ' || attempts
FROM background_service_jobs
WHERE status = 'RUNNING' AND id IN (SELECT value FROM json_each(:ids))

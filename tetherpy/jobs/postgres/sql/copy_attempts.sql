INSERT INTO background_service_job_attempts (
    job_id, attempt, worker, started_at, finished_at, outcome, error, traceback, logs
)
SELECT job_id, attempt, worker, started_at, finished_at, outcome, error, traceback, logs
FROM ROWS FROM (json_to_recordset(CAST(:rows AS text)::json) AS (
    job_id bigint, attempt integer, worker text, started_at timestamptz, finished_at timestamptz, outcome text,
    error text, traceback text, logs text
)) WITH ORDINALITY AS given (
    job_id, attempt, worker, started_at, finished_at, outcome, error, traceback, logs, number
)
ORDER BY number

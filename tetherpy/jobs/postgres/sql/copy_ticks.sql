INSERT INTO procrastinate_periodic_defers (task_name, periodic_id, defer_timestamp, job_id)
SELECT given.name, given.name, given.tick, job.id
FROM json_to_recordset(CAST(:rows AS text)::json) AS given (name text, tick bigint, job_id bigint)
LEFT JOIN procrastinate_jobs AS job ON job.id = given.job_id
ON CONFLICT DO NOTHING

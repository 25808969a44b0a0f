SELECT key.name, waiting.jobs
FROM tetherpy_unhandled_keys() AS key (name)
CROSS JOIN LATERAL (
    SELECT count(*) AS jobs FROM (
        SELECT FROM procrastinate_jobs AS job
        JOIN tetherpy_job_records AS record ON record.job_id = job.id
        WHERE job.status = 'todo' AND job.tetherpy_due AND job.tetherpy_unhandled AND job.task_name = key.name
        LIMIT 10000
    ) AS counted
) AS waiting
WHERE waiting.jobs > 0

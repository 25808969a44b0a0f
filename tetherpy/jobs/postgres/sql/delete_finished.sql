-- Chosen and deleted in one statement, the status checked again under the lock: a job retried at the same time is kept.
DELETE FROM procrastinate_jobs
WHERE status NOT IN ('todo', 'doing') AND id = ANY (ARRAY(
    SELECT record.job_id
    FROM tetherpy_job_records AS record
    JOIN procrastinate_jobs AS job ON job.id = record.job_id
    WHERE record.finished_at <= %(before)s AND job.status NOT IN ('todo', 'doing')
    ORDER BY record.finished_at
    LIMIT %(limit)s
))
RETURNING id

SELECT record.job_id
FROM tetherpy_job_records AS record
JOIN procrastinate_jobs AS job ON job.id = record.job_id
WHERE record.finished_at <= %(before)s AND job.status NOT IN ('todo', 'doing')
ORDER BY record.finished_at
LIMIT %(limit)s

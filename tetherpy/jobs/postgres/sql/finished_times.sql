SELECT job.id, record.created_at, record.last_attempt_at, record.finished_at, tetherpy_status(job.status)
FROM tetherpy_job_records AS record
JOIN procrastinate_jobs AS job ON job.id = record.job_id
WHERE record.finished_at IS NOT NULL AND record.finished_at > %(since)s AND record.finished_at <= %(end)s
ORDER BY record.finished_at DESC
LIMIT %(limit)s

-- As text: another program may have written an instant that Python cannot hold.
SELECT job.id, record.attempts, record.lease_expires_at::text FROM procrastinate_jobs AS job
JOIN tetherpy_job_records AS record ON record.job_id = job.id
WHERE job.status = 'doing'

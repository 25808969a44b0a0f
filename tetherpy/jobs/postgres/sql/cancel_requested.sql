SELECT job.id FROM procrastinate_jobs AS job
JOIN tetherpy_job_records AS record ON record.job_id = job.id
WHERE job.status = 'doing' AND record.claimed_by = %(id)s AND record.cancel_requested_at IS NOT NULL

SELECT id FROM background_service_workers
UNION
SELECT record.claimed_by FROM procrastinate_jobs AS job
JOIN tetherpy_job_records AS record ON record.job_id = job.id
WHERE job.status = 'doing' AND record.claimed_by IS NOT NULL

SELECT id FROM background_service_workers
UNION
SELECT claimed_by FROM background_service_jobs INDEXED BY background_service_jobs_status
WHERE status = 'RUNNING' AND claimed_by IS NOT NULL

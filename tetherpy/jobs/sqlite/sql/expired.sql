SELECT id FROM background_service_jobs INDEXED BY background_service_jobs_finished
WHERE finished_at IS NOT NULL AND finished_at <= ? AND status IN ('COMPLETED', 'FAILED', 'CANCELLED')
ORDER BY finished_at
LIMIT ?

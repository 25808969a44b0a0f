SELECT id FROM background_service_jobs INDEXED BY background_service_jobs_status
WHERE status = ? AND id > ? AND updated_at <= ?
ORDER BY id
LIMIT ?

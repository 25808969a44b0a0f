SELECT id, created_at, last_attempt_at, finished_at, status
FROM background_service_jobs INDEXED BY background_service_jobs_finished
WHERE finished_at IS NOT NULL AND (finished_at, id) < (?, ?)
ORDER BY finished_at DESC, id DESC
LIMIT ?

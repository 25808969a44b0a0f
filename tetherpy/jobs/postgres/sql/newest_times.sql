SELECT id, created_at, last_attempt_at, finished_at, status FROM background_service_jobs
WHERE id < %(before)s
ORDER BY id DESC
LIMIT %(limit)s

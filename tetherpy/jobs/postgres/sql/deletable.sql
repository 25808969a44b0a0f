SELECT id FROM background_service_jobs
WHERE status = %(status)s AND id > %(after)s AND updated_at <= %(before)s
ORDER BY id
LIMIT %(limit)s

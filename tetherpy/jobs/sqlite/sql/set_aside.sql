UPDATE background_service_jobs SET unhandled = 1
WHERE id IN (SELECT value FROM json_each(?)) AND status = 'PENDING'

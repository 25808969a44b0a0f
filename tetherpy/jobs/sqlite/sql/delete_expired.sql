-- A row that another program has changed since is deleted too: only the time of its end counts.
DELETE FROM background_service_jobs
WHERE id IN (SELECT value FROM json_each(?)) AND finished_at <= ? AND status IN ('COMPLETED', 'FAILED', 'CANCELLED')

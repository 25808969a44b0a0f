-- A row that another program has touched since is deleted too: what counts is when the job finished.
DELETE FROM background_service_jobs
WHERE id IN (SELECT value FROM json_each(?)) AND finished_at <= ? AND status IN ('COMPLETED', 'FAILED', 'CANCELLED')

-- Bounded, so that a great many jobs falling due at once do not hold the write lock for long.
UPDATE background_service_jobs SET due = 1
WHERE id IN (
    SELECT id FROM background_service_jobs INDEXED BY background_service_jobs_delayed
    WHERE status = 'PENDING' AND due = 0 AND run_at <= CAST(? AS TEXT)
    ORDER BY run_at
    LIMIT ?
)

INSERT INTO background_service_jobs (
    job_key, payload, status, attempts, max_attempts, priority, created_at, updated_at, queue, run_at, due,
    timeout, retry, meta, unique_key
)
VALUES (?, ?, 'PENDING', 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND status IN ('PENDING', 'RUNNING') DO NOTHING
RETURNING id

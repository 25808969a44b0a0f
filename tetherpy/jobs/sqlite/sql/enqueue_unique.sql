INSERT INTO background_service_jobs (
    job_key, payload, status, attempts, created_at, updated_at, run_at, due, {option_columns}
)
VALUES (?, ?, 'PENDING', 0, ?, ?, ?, ?, {option_values})
ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND status IN ('PENDING', 'RUNNING') DO NOTHING
RETURNING id

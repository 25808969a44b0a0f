INSERT INTO background_service_jobs (
    job_key, payload, status, attempts, created_at, updated_at, run_at, due, {option_columns}
)
VALUES (?, ?, 'PENDING', 0, ?, ?, ?, ?, {option_values})

DELETE FROM background_service_job_attempts
WHERE job_id = :id AND id <= (
    SELECT id FROM background_service_job_attempts WHERE job_id = :id ORDER BY id DESC LIMIT 1 OFFSET :kept
)

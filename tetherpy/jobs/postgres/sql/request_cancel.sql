UPDATE tetherpy_job_records
SET cancel_requested_at = coalesce(cancel_requested_at, %(now)s), updated_at = %(now)s
WHERE job_id = %(id)s

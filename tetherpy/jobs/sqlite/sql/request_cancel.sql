UPDATE background_service_jobs SET cancel_requested_at = coalesce(cancel_requested_at, :now), updated_at = :now
WHERE id = :id
RETURNING {columns}

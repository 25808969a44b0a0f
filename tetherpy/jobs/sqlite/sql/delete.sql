-- A job that changed since it was chosen is kept: it may have been retried or claimed.
DELETE FROM background_service_jobs
WHERE id IN (SELECT value FROM json_each(:ids)) AND status <> 'RUNNING'
    AND (:status IS NULL OR status = :status)
    AND (:before IS NULL OR updated_at <= :before)

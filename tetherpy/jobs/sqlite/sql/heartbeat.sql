UPDATE background_service_workers
SET heartbeat_at = ?, notification_title = coalesce(?, notification_title),
    notification_content = coalesce(?, notification_content), job_keys = coalesce(?, job_keys)
WHERE id = ?

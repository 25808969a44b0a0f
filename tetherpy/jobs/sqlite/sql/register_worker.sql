INSERT INTO background_service_workers (
    id, pid, host, started_at, heartbeat_at, notification_title, notification_content, job_keys
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE
SET pid = excluded.pid, host = excluded.host, started_at = excluded.started_at,
    heartbeat_at = excluded.heartbeat_at, notification_title = excluded.notification_title,
    notification_content = excluded.notification_content, job_keys = excluded.job_keys

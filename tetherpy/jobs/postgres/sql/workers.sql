SELECT id, pid, host, started_at, heartbeat_at, notification_title, notification_content, job_keys
FROM background_service_workers
ORDER BY started_at, id

WITH registered AS (
    INSERT INTO background_service_workers (
        id, worker_id, pid, host, started_at, heartbeat_at, notification_title, notification_content,
        job_keys
    )
    SELECT %(id)s, worker_id, %(pid)s, %(host)s, %(started_at)s, %(heartbeat_at)s, %(title)s, %(content)s,
        %(job_keys)s::text[]
    FROM pg_advisory_xact_lock_shared(tetherpy_lock_of_keys()), procrastinate_register_worker_v1()
    ON CONFLICT (id) DO UPDATE
    SET worker_id = excluded.worker_id, pid = excluded.pid, host = excluded.host, started_at = excluded.started_at,
        heartbeat_at = excluded.heartbeat_at, notification_title = excluded.notification_title,
        notification_content = excluded.notification_content, job_keys = excluded.job_keys
    RETURNING id
)
SELECT tetherpy_notify() FROM registered

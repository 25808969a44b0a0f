WITH beating AS (
    UPDATE background_service_workers
    SET heartbeat_at = %(now)s, notification_title = coalesce(%(title)s, notification_title),
        notification_content = coalesce(%(content)s, notification_content),
        job_keys = coalesce(%(job_keys)s::text[], job_keys)
    FROM pg_advisory_xact_lock_shared(tetherpy_lock_of_keys())
    WHERE id = %(id)s
    RETURNING worker_id
)
SELECT procrastinate_update_heartbeat_v1(worker_id) FROM beating

WITH beating AS (
    UPDATE background_service_workers
    SET heartbeat_at = %(now)s, notification_title = coalesce(%(title)s, notification_title),
        notification_content = coalesce(%(content)s, notification_content)
    WHERE id = %(id)s
    RETURNING worker_id
)
SELECT procrastinate_update_heartbeat_v1(worker_id) FROM beating

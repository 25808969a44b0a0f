SELECT id, heartbeat_at::text FROM background_service_workers

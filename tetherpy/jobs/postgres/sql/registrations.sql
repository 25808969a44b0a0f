SELECT id, heartbeat_at FROM background_service_workers

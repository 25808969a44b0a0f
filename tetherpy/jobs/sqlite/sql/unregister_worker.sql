DELETE FROM background_service_workers WHERE id = ?

UPDATE background_service_ticks SET job_id = ? WHERE name = ? AND tick = ?

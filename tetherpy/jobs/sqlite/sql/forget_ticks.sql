DELETE FROM background_service_ticks WHERE name = ? AND tick < ?

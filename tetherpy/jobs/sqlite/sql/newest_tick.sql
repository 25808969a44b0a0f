SELECT max(tick) FROM background_service_ticks WHERE name = ?

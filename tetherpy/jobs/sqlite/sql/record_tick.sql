INSERT INTO background_service_ticks (name, tick, job_id) VALUES (?, ?, 0)
ON CONFLICT (name, tick) DO NOTHING

WITH gone AS (DELETE FROM background_service_workers WHERE id = %(id)s RETURNING worker_id)
SELECT procrastinate_unregister_worker_v1(worker_id) FROM gone

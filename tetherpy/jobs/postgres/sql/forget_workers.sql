-- Only workers whose last heartbeat is still the one that was seen, and that hold no job. Also removes
-- registrations at Procrastinate that belong to no worker.
WITH silent AS (
    SELECT worker.id FROM background_service_workers AS worker
    JOIN unnest(%(ids)s::text[], %(beats)s::text[]) AS seen (id, heartbeat_at)
        ON seen.id = worker.id AND seen.heartbeat_at::timestamptz = worker.heartbeat_at
    WHERE NOT EXISTS (
        SELECT FROM procrastinate_jobs AS job
        JOIN tetherpy_job_records AS record ON record.job_id = job.id
        WHERE job.status = 'doing' AND record.claimed_by = worker.id
    )
    FOR UPDATE OF worker SKIP LOCKED
), gone AS (
    DELETE FROM background_service_workers WHERE id IN (SELECT id FROM silent) RETURNING worker_id
), unknown AS (
    SELECT id FROM procrastinate_workers
    WHERE id NOT IN (SELECT worker_id FROM background_service_workers)
)
SELECT procrastinate_unregister_worker_v1(id)
FROM (SELECT worker_id AS id FROM gone UNION SELECT id FROM unknown) AS over

-- The advisory lock that a worker shares while it registers its job keys. Making jobs without a handler FAILED takes it
-- exclusively. The number is arbitrary.
CREATE FUNCTION tetherpy_lock_of_keys() RETURNS bigint
LANGUAGE sql IMMUTABLE
AS $$ SELECT 7305514922862 $$;

-- Make jobs of a key FAILED that were set aside, unless a registered worker has a handler for it. The lock comes first:
-- a statement sees the data as of its start.
CREATE FUNCTION tetherpy_fail_unhandled(key varchar, error text, instant timestamptz, most integer) RETURNS SETOF bigint
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(tetherpy_lock_of_keys());
    IF EXISTS (SELECT FROM background_service_workers WHERE job_keys IS NULL OR key = ANY (job_keys)) THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH failed AS (
        UPDATE procrastinate_jobs SET status = 'failed', tetherpy_unhandled = false
        WHERE id = ANY (ARRAY(
            SELECT job.id FROM procrastinate_jobs AS job
            JOIN tetherpy_job_records AS record ON record.job_id = job.id
            WHERE job.status = 'todo' AND job.tetherpy_due AND job.tetherpy_unhandled AND job.task_name = key
            LIMIT most
            FOR UPDATE OF job SKIP LOCKED
        ))
        RETURNING id
    )
    UPDATE tetherpy_job_records
    SET last_error = error, finished_at = instant, updated_at = instant
    FROM failed
    WHERE job_id = failed.id
    RETURNING job_id;
END;
$$;

-- Store jobs and return their ids in order; for a unique key that an unfinished job has, the id of that one, which is
-- not new. The jobs are stored in the order of their keys, so that two calls with the same keys cannot deadlock. Their
-- ids are drawn before, so that claims keep the order of the call. Both unique indexes decide whether a key is taken:
-- the condition of Procrastinate's implies that of the other one.
CREATE FUNCTION tetherpy_store_jobs(jobs json, instant timestamptz)
RETURNS TABLE (stored_id bigint, is_new boolean)
LANGUAGE plpgsql
AS $$
DECLARE
    drawn bigint[] := ARRAY(
        SELECT nextval('procrastinate_jobs_id_seq') FROM generate_series(1, json_array_length(jobs))
    );
    ids bigint[] := drawn;
    waiting bigint[];
    wanted integer := cardinality(ids);
    stored integer;
BEGIN
    LOOP
        WITH given AS (
            SELECT * FROM ROWS FROM (json_to_recordset(jobs) AS (
                queue text, job_key text, priority integer, unique_key text, run_at timestamptz, payload text,
                max_attempts bigint, timeout double precision, retry text, meta text, version text
            ), unnest(ids)) AS given (
                queue, job_key, priority, unique_key, run_at, payload, max_attempts, timeout, retry, meta, version, id
            )
            WHERE waiting IS NULL OR id = ANY (waiting)
        ), entered AS (
            INSERT INTO procrastinate_jobs (
                id, queue_name, task_name, priority, queueing_lock, args, scheduled_at, tetherpy_due
            )
            SELECT id, queue, job_key, priority, unique_key, '{}', coalesce(run_at, instant),
                coalesce(run_at <= instant, true)
            FROM given
            ORDER BY unique_key, id
            ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
            RETURNING id
        )
        INSERT INTO tetherpy_job_records (
            job_id, payload, max_attempts, created_at, updated_at, timeout, retry, meta, version
        )
        SELECT id, payload, max_attempts, instant, instant, timeout, retry, meta, version
        FROM given JOIN entered USING (id);
        GET DIAGNOSTICS stored = ROW_COUNT;
        EXIT WHEN stored = wanted;
        -- A job that had the key may have ended since: then the next round stores this one.
        SELECT array_agg(coalesce(holder.id, given.id) ORDER BY given.number),
            coalesce(array_agg(given.id) FILTER (
                WHERE holder.id IS NULL AND record.job_id IS NULL AND (waiting IS NULL OR given.id = ANY (waiting))
            ), '{}')
        INTO ids, waiting
        FROM ROWS FROM (json_to_recordset(jobs) AS (unique_key text), unnest(ids)) WITH ORDINALITY
            AS given (unique_key, id, number)
        LEFT JOIN tetherpy_job_records AS record ON record.job_id = given.id
        LEFT JOIN procrastinate_jobs AS holder ON record.job_id IS NULL
            AND holder.queueing_lock = given.unique_key AND holder.status IN ('todo', 'doing');
        wanted := cardinality(waiting);
        EXIT WHEN wanted = 0;
    END LOOP;
    RETURN QUERY SELECT pair.id, pair.id = pair.drawn_id FROM unnest(ids, drawn) AS pair (id, drawn_id);
END;
$$;

-- Store jobs and return their ids in order: for programs that enqueue with SQL.
CREATE FUNCTION tetherpy_defer_jobs(jobs json, instant timestamptz) RETURNS SETOF bigint
LANGUAGE sql
AS $$
    SELECT stored_id FROM tetherpy_store_jobs(jobs, instant)
$$;

-- One job per tick, by Procrastinate's table of periodic jobs. Its own function deletes all older ticks at once, and
-- would repeat them after a clock was set back; here they are deleted after 30 days.
CREATE FUNCTION tetherpy_defer_tick(periodic_name text, tick bigint, job json, instant timestamptz) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    deferred_id bigint;
    new_id bigint;
BEGIN
    -- The name alone identifies a periodic job, independent of the job that it enqueues.
    INSERT INTO procrastinate_periodic_defers (task_name, periodic_id, defer_timestamp)
    VALUES (periodic_name, periodic_name, tick)
    ON CONFLICT DO NOTHING
    RETURNING id INTO deferred_id;
    IF deferred_id IS NULL THEN
        RETURN NULL;
    END IF;
    new_id := tetherpy_defer_jobs(json_build_array(job), instant);
    UPDATE procrastinate_periodic_defers SET job_id = new_id WHERE id = deferred_id;
    DELETE FROM procrastinate_periodic_defers
    WHERE task_name = periodic_name AND periodic_id = periodic_name
        AND defer_timestamp < tick - 30 * 24 * 3600 * 1000000::bigint;
    RETURN new_id;
END;
$$;

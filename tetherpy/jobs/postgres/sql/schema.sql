-- Procrastinate's tables hold the queue: pending jobs, their order, and who runs them. Each of its jobs has one record
-- more with the other columns, changed in the same transactions and deleted with it by a trigger (foreign keys would
-- do the same, and cost 50 microseconds per row). "background_service_jobs" joins both under the names of the SQLite
-- table, so that the same queries read either.

CREATE FUNCTION tetherpy_status(status procrastinate_job_status) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE status
    WHEN 'todo' THEN 'PENDING'
    WHEN 'doing' THEN 'RUNNING'
    WHEN 'aborting' THEN 'RUNNING'
    WHEN 'succeeded' THEN 'COMPLETED'
    WHEN 'failed' THEN 'FAILED'
    ELSE 'CANCELLED'
END;

CREATE TABLE tetherpy_job_records (
    job_id bigint PRIMARY KEY,
    payload text,
    attempts integer NOT NULL DEFAULT 0,
    max_attempts bigint NOT NULL,
    last_attempt_at timestamptz,
    last_error text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    timeout double precision,
    -- The retry policy as JSON; NULL if the handler's applies.
    retry text,
    claimed_by text,
    fencing_token bigint NOT NULL DEFAULT 0,
    lease_expires_at timestamptz,
    progress double precision,
    progress_message text,
    result text,
    finished_at timestamptz,
    cancel_requested_at timestamptz,
    -- Text, so that it reads as it was written; a search converts it.
    meta text CHECK (jsonb_typeof(meta::jsonb) = 'object')
) WITH (fillfactor = 70);

CREATE INDEX tetherpy_job_records_finished ON tetherpy_job_records (finished_at) WHERE finished_at IS NOT NULL;

-- Each claim gets the next number as its fencing token. Attempts cannot serve as one: a retry by hand can reset them,
-- and a run from before that must not end the run that has the same number now.
CREATE SEQUENCE tetherpy_fencing_tokens;

-- A job that is not due, and a job without a handler, are in none of the indexes that claims read. Any claim that meets
-- an unmarked one marks it.
ALTER TABLE procrastinate_jobs
    ADD COLUMN tetherpy_due boolean NOT NULL DEFAULT true,
    ADD COLUMN tetherpy_unhandled boolean NOT NULL DEFAULT false;

-- Claims read these in order and stop at the first row they need: one over all queues, one for workers with queues.
CREATE INDEX tetherpy_jobs_ready ON procrastinate_jobs (priority DESC, scheduled_at, id)
    WHERE status = 'todo' AND tetherpy_due AND NOT tetherpy_unhandled;
CREATE INDEX tetherpy_jobs_ready_in_queue ON procrastinate_jobs (queue_name, priority DESC, scheduled_at, id)
    WHERE status = 'todo' AND tetherpy_due AND NOT tetherpy_unhandled;
CREATE INDEX tetherpy_jobs_unhandled ON procrastinate_jobs (task_name, priority DESC, scheduled_at, id)
    WHERE status = 'todo' AND tetherpy_due AND tetherpy_unhandled;
CREATE INDEX tetherpy_jobs_unhandled_in_queue
    ON procrastinate_jobs (task_name, queue_name, priority DESC, scheduled_at, id)
    WHERE status = 'todo' AND tetherpy_due AND tetherpy_unhandled;
CREATE INDEX tetherpy_jobs_delayed ON procrastinate_jobs (scheduled_at) WHERE status = 'todo' AND NOT tetherpy_due;
-- On an expression, so that no claim is planned over it: that would read every job that is due.
CREATE INDEX tetherpy_jobs_due ON procrastinate_jobs ((scheduled_at AT TIME ZONE 'UTC')) WHERE status = 'todo';
-- Procrastinate's own index frees a queueing lock when its job starts; a unique key is kept until the job has ended.
CREATE UNIQUE INDEX tetherpy_jobs_unique ON procrastinate_jobs (queueing_lock) WHERE status IN ('todo', 'doing');
CREATE INDEX tetherpy_jobs_unique_history ON procrastinate_jobs (queueing_lock, id) WHERE queueing_lock IS NOT NULL;
CREATE INDEX tetherpy_jobs_status ON procrastinate_jobs (tetherpy_status(status), id);
-- Includes the status for lists by key and status; lists by key alone merge the statuses.
CREATE INDEX tetherpy_jobs_key ON procrastinate_jobs (task_name, tetherpy_status(status), id);

CREATE VIEW background_service_jobs AS
SELECT
    job.id,
    job.task_name AS job_key,
    record.payload,
    tetherpy_status(job.status) AS status,
    record.attempts,
    record.max_attempts,
    record.last_attempt_at,
    record.last_error,
    job.priority,
    record.created_at,
    record.updated_at,
    job.queue_name AS queue,
    job.scheduled_at AS run_at,
    record.timeout,
    job.queueing_lock AS unique_key,
    record.claimed_by,
    record.lease_expires_at,
    record.progress,
    record.progress_message,
    record.result,
    record.finished_at,
    record.cancel_requested_at,
    record.retry,
    record.meta
FROM procrastinate_jobs AS job
JOIN tetherpy_job_records AS record ON record.job_id = job.id;

CREATE TABLE background_service_job_attempts (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    job_id bigint NOT NULL,
    attempt integer NOT NULL,
    worker text,
    started_at timestamptz,
    finished_at timestamptz NOT NULL,
    outcome text NOT NULL,
    error text,
    traceback text
);
CREATE INDEX background_service_job_attempts_job ON background_service_job_attempts (job_id, id);

CREATE TABLE background_service_workers (
    id text PRIMARY KEY,
    worker_id bigint NOT NULL,
    pid bigint NOT NULL,
    host text NOT NULL,
    started_at timestamptz NOT NULL,
    heartbeat_at timestamptz NOT NULL,
    notification_title text NOT NULL DEFAULT '',
    notification_content text NOT NULL DEFAULT '',
    -- The job keys that the worker has handlers for; NULL if it takes every key.
    job_keys text[]
);

-- The changes of each statement: jobs entering and leaving a status, and the number of moves. Their sums are the
-- counts and the revisions. One row per status would be shorter, and every transaction would wait for every other.
CREATE TABLE tetherpy_job_changes (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    status text NOT NULL,
    jobs bigint NOT NULL,
    moves bigint NOT NULL
);

-- Of all transactions of a server that notify, one commits at a time. So a process can defer its notification until
-- after the commit: it sets "tetherpy.notify" to "later" in its transaction, and "owed" says that one is due.
CREATE FUNCTION tetherpy_notify() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_setting('tetherpy.notify', true) IN ('later', 'owed') THEN
        PERFORM set_config('tetherpy.notify', 'owed', true);
    ELSE
        PERFORM pg_notify('tetherpy_jobs', '');
    END IF;
END;
$$;

-- Changes are summed up now and then by a statement that makes one, since no worker may be running. Rows that another
-- transaction is summing up are skipped. At stricter isolation levels that could fail, so nothing is summed up.
CREATE FUNCTION tetherpy_changed() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    -- A prime, so that statements that write two or three rows each hit it as well.
    IF lastval() % 251 = 0 AND current_setting('transaction_isolation') = 'read committed' THEN
        WITH summed AS (
            DELETE FROM tetherpy_job_changes
            WHERE id IN (SELECT id FROM tetherpy_job_changes ORDER BY id LIMIT 10000 FOR UPDATE SKIP LOCKED)
            RETURNING status, jobs, moves
        )
        INSERT INTO tetherpy_job_changes (status, jobs, moves)
        SELECT status, sum(jobs), sum(moves) FROM summed GROUP BY status;
    END IF;
    PERFORM tetherpy_notify();
END;
$$;

CREATE FUNCTION tetherpy_jobs_inserted() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO tetherpy_job_changes (status, jobs, moves)
    SELECT tetherpy_status(status), count(*), count(*) FROM entered GROUP BY 1;
    IF FOUND THEN
        PERFORM tetherpy_changed();
    END IF;
    RETURN NULL;
END;
$$;

CREATE FUNCTION tetherpy_jobs_updated() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO tetherpy_job_changes (status, jobs, moves)
    SELECT tetherpy_status(status), sum(jobs), count(*)
    FROM (SELECT status, 1 AS jobs FROM entered UNION ALL SELECT status, -1 FROM departed) AS moves
    GROUP BY 1;
    IF FOUND THEN
        PERFORM tetherpy_changed();
    END IF;
    RETURN NULL;
END;
$$;

CREATE FUNCTION tetherpy_jobs_deleted() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO tetherpy_job_changes (status, jobs, moves)
    SELECT tetherpy_status(status), -count(*), count(*) FROM departed GROUP BY 1;
    IF FOUND THEN
        PERFORM tetherpy_changed();
        DELETE FROM tetherpy_job_records WHERE job_id = ANY (ARRAY(SELECT id FROM departed));
        DELETE FROM background_service_job_attempts WHERE job_id = ANY (ARRAY(SELECT id FROM departed));
    END IF;
    RETURN NULL;
END;
$$;

CREATE TRIGGER tetherpy_jobs_inserted AFTER INSERT ON procrastinate_jobs
    REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION tetherpy_jobs_inserted();
CREATE TRIGGER tetherpy_jobs_updated AFTER UPDATE ON procrastinate_jobs
    REFERENCING OLD TABLE AS departed NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION tetherpy_jobs_updated();
CREATE TRIGGER tetherpy_jobs_deleted AFTER DELETE ON procrastinate_jobs
    REFERENCING OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION tetherpy_jobs_deleted();

-- The files whose jobs are being copied, or were copied, into these tables.
CREATE TABLE tetherpy_copies (
    source text PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);

-- Store jobs and return their ids in order; for a unique key that an unfinished job has, the id of that one, which is
-- not new. The jobs are stored in the order of their keys, so that two calls with the same keys cannot deadlock. Their ids
-- are drawn before, so that claims keep the order of the call. Both unique indexes decide whether a key is taken: the condition of
-- Procrastinate's implies that of the other one.
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
                max_attempts bigint, timeout double precision, retry text, meta text
            ), unnest(ids)) AS given (
                queue, job_key, priority, unique_key, run_at, payload, max_attempts, timeout, retry, meta, id
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
        INSERT INTO tetherpy_job_records (job_id, payload, max_attempts, created_at, updated_at, timeout, retry, meta)
        SELECT id, payload, max_attempts, instant, instant, timeout, retry, meta FROM given JOIN entered USING (id);
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

-- The keys of the jobs that were set aside: one step in the index per key, for any number of jobs.
CREATE FUNCTION tetherpy_unhandled_keys() RETURNS SETOF varchar
LANGUAGE sql STABLE
AS $$
    WITH RECURSIVE keys (name) AS (
        (
            SELECT task_name FROM procrastinate_jobs
            WHERE status = 'todo' AND tetherpy_due AND tetherpy_unhandled
            ORDER BY task_name, priority DESC, scheduled_at, id LIMIT 1
        )
        UNION ALL
        SELECT next.task_name
        FROM keys
        CROSS JOIN LATERAL (
            SELECT task_name FROM procrastinate_jobs
            WHERE status = 'todo' AND tetherpy_due AND tetherpy_unhandled AND task_name > keys.name
            ORDER BY task_name, priority DESC, scheduled_at, id LIMIT 1
        ) AS next
    )
    SELECT name FROM keys
$$;

-- Choose, and lock, up to "slots" jobs: higher priority first, then the due time, then id, across queues. Jobs in
-- between that cannot be claimed are marked. Rows that another transaction has locked are skipped, and "passed_over" is
-- set: if it ends without a change, no notification follows. "more" is set if there were too many jobs to mark. Of many
-- queues only those are read whose first jobs come first, and each gives only its share of the slots: a row that is
-- locked and not taken would be missing in the claims of other workers. A queue with too few jobs that are not locked
-- is left out in the next round. Without the settings, outdated statistics could make the planner sort all pending jobs. Each look has an order, so that it
-- uses the index with that order: for a bare EXISTS the planner may read all pending jobs, or all records.
CREATE FUNCTION tetherpy_choose_jobs(
    slots integer, queues varchar[], keys varchar[], instant timestamptz,
    OUT chosen bigint[], OUT passed_over boolean, OUT more boolean
)
LANGUAGE plpgsql
SET enable_sort = off SET enable_incremental_sort = off SET enable_bitmapscan = off SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
    waiting varchar[];
    wanted integer;
    taken bigint[];
    refused bigint[];
    first bigint[];
    left_queues varchar[] := queues;
    near varchar[];
    shares bigint[];
    short varchar[];
    rounds integer := 0;
BEGIN
    chosen := '{}';
    passed_over := false;
    more := false;
    IF EXISTS (
        SELECT FROM (
            SELECT FROM procrastinate_jobs
            WHERE status = 'todo' AND NOT tetherpy_due AND scheduled_at <= instant
            ORDER BY scheduled_at
            LIMIT 1
        ) AS due
    ) THEN
        UPDATE procrastinate_jobs SET tetherpy_due = true
        WHERE id = ANY (ARRAY(
            SELECT id FROM procrastinate_jobs
            WHERE status = 'todo' AND NOT tetherpy_due AND scheduled_at <= instant
            ORDER BY scheduled_at
            LIMIT 10000
            FOR UPDATE SKIP LOCKED
        ));
    END IF;
    waiting := ARRAY(SELECT name FROM tetherpy_unhandled_keys() AS name WHERE keys IS NULL OR name = ANY (keys));
    LOOP
        wanted := slots - cardinality(chosen);
        EXIT WHEN wanted <= 0;
        IF queues IS NULL THEN
            SELECT coalesce(array_agg(place.id ORDER BY place.number) FILTER (WHERE place.fits), '{}'),
                coalesce(array_agg(place.id) FILTER (WHERE NOT place.fits), '{}')
            INTO taken, refused
            FROM (
                SELECT found.id, found.fits, row_number() OVER () AS number
                FROM (
                    SELECT * FROM (
                        SELECT job.id, job.priority, job.scheduled_at,
                            coalesce(job.scheduled_at <= instant, true) AND (keys IS NULL OR job.task_name = ANY (keys))
                            AND (SELECT true FROM tetherpy_job_records AS record WHERE record.job_id = job.id)
                            IS TRUE AS fits
                        FROM procrastinate_jobs AS job
                        WHERE job.status = 'todo' AND job.tetherpy_due AND NOT job.tetherpy_unhandled
                            AND job.id <> ALL (chosen)
                        ORDER BY job.priority DESC, job.scheduled_at, job.id
                        LIMIT wanted
                        FOR UPDATE OF job SKIP LOCKED
                    ) AS ready
                    UNION ALL
                    SELECT aside.* FROM unnest(waiting) AS key (name)
                    CROSS JOIN LATERAL (
                        SELECT job.id, job.priority, job.scheduled_at, coalesce(job.scheduled_at <= instant, true)
                        FROM procrastinate_jobs AS job
                        WHERE job.status = 'todo' AND job.tetherpy_due AND job.tetherpy_unhandled
                            AND job.task_name = key.name AND job.id <> ALL (chosen)
                            AND (SELECT true FROM tetherpy_job_records AS record WHERE record.job_id = job.id)
                        ORDER BY job.priority DESC, job.scheduled_at, job.id
                        LIMIT wanted
                        FOR UPDATE OF job SKIP LOCKED
                    ) AS aside
                ) AS found
                ORDER BY found.priority DESC, found.scheduled_at, found.id
                LIMIT wanted
            ) AS place;
        ELSE
            near := left_queues;
            shares := ARRAY[wanted];
            IF cardinality(left_queues) > 1 THEN
                SELECT coalesce(array_agg(share.name), '{}'), array_agg(share.jobs) INTO near, shares
                FROM (
                    SELECT place.name, count(*) AS jobs
                    FROM (
                        SELECT head.name
                        FROM (
                            SELECT queue.name FROM unnest(left_queues) AS queue (name)
                            CROSS JOIN LATERAL (
                                SELECT job.priority, job.scheduled_at, job.id
                                FROM procrastinate_jobs AS job
                                WHERE job.status = 'todo' AND job.tetherpy_due AND NOT job.tetherpy_unhandled
                                    AND job.queue_name = queue.name AND job.id <> ALL (chosen)
                                ORDER BY job.priority DESC, job.scheduled_at, job.id
                                LIMIT 1
                            ) AS best
                            ORDER BY best.priority DESC, best.scheduled_at, best.id
                            LIMIT wanted
                        ) AS head
                        CROSS JOIN LATERAL (
                            SELECT job.priority, job.scheduled_at, job.id
                            FROM procrastinate_jobs AS job
                            WHERE job.status = 'todo' AND job.tetherpy_due AND NOT job.tetherpy_unhandled
                                AND job.queue_name = head.name AND job.id <> ALL (chosen)
                            ORDER BY job.priority DESC, job.scheduled_at, job.id
                            LIMIT wanted
                        ) AS next
                        ORDER BY next.priority DESC, next.scheduled_at, next.id
                        LIMIT wanted
                    ) AS place
                    GROUP BY place.name
                ) AS share;
            END IF;
            SELECT coalesce(array_agg(place.id ORDER BY place.number) FILTER (WHERE place.fits), '{}'),
                coalesce(array_agg(place.id) FILTER (WHERE NOT place.fits), '{}')
            INTO taken, refused
            FROM (
                SELECT found.id, found.fits, row_number() OVER () AS number
                FROM (
                    SELECT ready.* FROM unnest(near, shares) AS queue (name, jobs)
                    CROSS JOIN LATERAL (
                        SELECT job.id, job.priority, job.scheduled_at,
                            coalesce(job.scheduled_at <= instant, true) AND (keys IS NULL OR job.task_name = ANY (keys))
                            AND (SELECT true FROM tetherpy_job_records AS record WHERE record.job_id = job.id)
                            IS TRUE AS fits
                        FROM procrastinate_jobs AS job
                        WHERE job.status = 'todo' AND job.tetherpy_due AND NOT job.tetherpy_unhandled
                            AND job.queue_name = queue.name AND job.id <> ALL (chosen)
                        ORDER BY job.priority DESC, job.scheduled_at, job.id
                        LIMIT queue.jobs
                        FOR UPDATE OF job SKIP LOCKED
                    ) AS ready
                    UNION ALL
                    SELECT aside.*
                    FROM (
                        SELECT queue.name AS queue, key.name AS key
                        FROM unnest(waiting) AS key (name), unnest(queues) AS queue (name)
                        CROSS JOIN LATERAL (
                            SELECT job.priority, job.scheduled_at, job.id
                            FROM procrastinate_jobs AS job
                            WHERE job.status = 'todo' AND job.tetherpy_due AND job.tetherpy_unhandled
                                AND job.task_name = key.name AND job.queue_name = queue.name AND job.id <> ALL (chosen)
                            ORDER BY job.priority DESC, job.scheduled_at, job.id
                            LIMIT 1
                        ) AS best
                        ORDER BY best.priority DESC, best.scheduled_at, best.id
                        LIMIT wanted
                    ) AS head
                    CROSS JOIN LATERAL (
                        SELECT job.id, job.priority, job.scheduled_at, coalesce(job.scheduled_at <= instant, true)
                        FROM procrastinate_jobs AS job
                        WHERE job.status = 'todo' AND job.tetherpy_due AND job.tetherpy_unhandled
                            AND job.task_name = head.key AND job.queue_name = head.queue AND job.id <> ALL (chosen)
                            AND (SELECT true FROM tetherpy_job_records AS record WHERE record.job_id = job.id)
                        ORDER BY job.priority DESC, job.scheduled_at, job.id
                        LIMIT wanted
                        FOR UPDATE OF job SKIP LOCKED
                    ) AS aside
                ) AS found
                ORDER BY found.priority DESC, found.scheduled_at, found.id
                LIMIT wanted
            ) AS place;
        END IF;
        chosen := chosen || taken;
        IF refused = '{}' THEN
            EXIT WHEN queues IS NULL OR cardinality(chosen) >= slots;
            short := ARRAY(
                SELECT queue.name FROM unnest(near, shares) AS queue (name, jobs)
                WHERE queue.jobs > (
                    SELECT count(*) FROM procrastinate_jobs WHERE id = ANY (taken) AND queue_name = queue.name
                )
            );
            left_queues := ARRAY(SELECT name FROM unnest(left_queues) AS queue (name) WHERE name <> ALL (short));
            EXIT WHEN short = '{}' OR left_queues = '{}' OR rounds > 10;
        END IF;
        rounds := rounds + 1;
        CONTINUE WHEN refused = '{}';
        IF rounds > 10 THEN
            more := true;
            EXIT;
        END IF;
        -- More of them usually follow: the first thousand are marked at once.
        IF queues IS NULL THEN
            first := ARRAY(
                SELECT id FROM procrastinate_jobs
                WHERE status = 'todo' AND tetherpy_due AND NOT tetherpy_unhandled
                ORDER BY priority DESC, scheduled_at, id
                LIMIT 1000
            );
        ELSE
            first := ARRAY(
                SELECT ready.id FROM unnest(near) AS queue (name)
                CROSS JOIN LATERAL (
                    SELECT id FROM procrastinate_jobs
                    WHERE status = 'todo' AND tetherpy_due AND NOT tetherpy_unhandled AND queue_name = queue.name
                    ORDER BY priority DESC, scheduled_at, id
                    LIMIT 1000
                ) AS ready
            );
        END IF;
        UPDATE procrastinate_jobs AS job
        SET tetherpy_due = coalesce(job.scheduled_at <= instant, true), tetherpy_unhandled = marked.unhandled
        FROM (
            SELECT found.id, (keys IS NOT NULL AND found.task_name <> ALL (keys)) OR (
                SELECT true FROM tetherpy_job_records AS record WHERE record.job_id = found.id
            ) IS NULL AS unhandled
            FROM procrastinate_jobs AS found
            WHERE found.id = ANY (refused || first) AND found.status = 'todo' AND found.id <> ALL (chosen) AND (
                found.scheduled_at > instant OR (keys IS NOT NULL AND found.task_name <> ALL (keys))
                OR (SELECT true FROM tetherpy_job_records AS record WHERE record.job_id = found.id) IS NULL
            )
            FOR UPDATE OF found SKIP LOCKED
        ) AS marked
        WHERE job.id = marked.id;
    END LOOP;
    IF cardinality(chosen) < slots AND NOT more THEN
        passed_over := EXISTS (
            SELECT FROM (
                SELECT FROM procrastinate_jobs AS job
                WHERE queues IS NULL AND job.status = 'todo' AND job.tetherpy_due AND NOT job.tetherpy_unhandled
                    AND job.id <> ALL (chosen)
                ORDER BY job.priority DESC, job.scheduled_at, job.id
                LIMIT 1
            ) AS locked
        ) OR EXISTS (
            SELECT FROM unnest(queues) AS queue (name)
            CROSS JOIN LATERAL (
                SELECT FROM procrastinate_jobs AS job
                WHERE job.status = 'todo' AND job.tetherpy_due AND NOT job.tetherpy_unhandled
                    AND job.queue_name = queue.name AND job.id <> ALL (chosen)
                ORDER BY job.priority DESC, job.scheduled_at, job.id
                LIMIT 1
            ) AS locked
        ) OR EXISTS (
            SELECT FROM unnest(waiting) AS key (name)
            CROSS JOIN LATERAL (
                SELECT FROM procrastinate_jobs AS job
                WHERE job.status = 'todo' AND job.tetherpy_due AND job.tetherpy_unhandled
                    AND job.task_name = key.name AND job.id <> ALL (chosen)
                    AND (queues IS NULL OR job.queue_name = ANY (queues))
                    AND (SELECT true FROM tetherpy_job_records AS record WHERE record.job_id = job.id)
                ORDER BY job.priority DESC, job.scheduled_at, job.id
                LIMIT 1
            ) AS locked
        );
    END IF;
END;
$$;

-- Acknowledge attempts of jobs whose rows the caller has locked, each checked by its fencing token. Return the numbers,
-- from 0, of those that were accepted. An ack says which status the job gets, and which if its cancellation was
-- requested; it may carry the last progress (fraction, message).
CREATE FUNCTION tetherpy_acknowledge_locked(acks json, locked bigint[], instant timestamptz)
RETURNS SETOF integer
LANGUAGE plpgsql
AS $$
BEGIN
    RETURN QUERY
    WITH given AS (
        SELECT DISTINCT ON (ack.id, ack.fencing_token) ack.*
        FROM ROWS FROM (json_to_recordset(acks) AS (
            id bigint, worker text, fencing_token bigint, attempt integer, status procrastinate_job_status,
            status_if_cancelled procrastinate_job_status, outcome text, uncounted integer, result text, error text,
            run_at timestamptz, traceback text, fraction double precision, message text
        )) WITH ORDINALITY AS ack (
            id, worker, fencing_token, attempt, status, status_if_cancelled, outcome, uncounted, result, error,
            run_at, traceback, fraction, message, number
        )
        WHERE ack.id = ANY (locked)
        ORDER BY ack.id, ack.fencing_token, ack.number
    ), held AS (
        SELECT given.*,
            CASE WHEN record.cancel_requested_at IS NULL THEN given.status ELSE given.status_if_cancelled END
                AS target,
            record.last_attempt_at
        FROM given
        JOIN tetherpy_job_records AS record ON record.job_id = given.id
            AND record.claimed_by = given.worker AND record.fencing_token = given.fencing_token
        JOIN procrastinate_jobs AS job ON job.id = given.id AND job.status = 'doing'
    ), recorded AS (
        UPDATE tetherpy_job_records AS record
        SET attempts = record.attempts - held.uncounted,
            result = held.result,
            last_error = CASE WHEN held.status = 'todo' THEN coalesce(held.error, record.last_error)
                ELSE held.error END,
            finished_at = CASE WHEN held.target <> 'todo' THEN instant END,
            progress = CASE WHEN held.status <> 'todo' THEN coalesce(held.fraction, record.progress) END,
            progress_message = CASE
                WHEN held.status <> 'todo' THEN coalesce(held.message, record.progress_message)
            END,
            updated_at = instant, claimed_by = NULL, lease_expires_at = NULL
        FROM held WHERE record.job_id = held.id
    ), queued AS (
        UPDATE procrastinate_jobs AS job
        SET status = held.target, attempts = held.attempt - held.uncounted, worker_id = NULL, abort_requested = false,
            scheduled_at = coalesce(held.run_at, job.scheduled_at),
            tetherpy_due = coalesce(coalesce(held.run_at, job.scheduled_at) <= instant, true)
        FROM held WHERE job.id = held.id
    ), remembered AS (
        INSERT INTO background_service_job_attempts (
            job_id, attempt, worker, started_at, finished_at, outcome, error, traceback
        )
        SELECT id, attempt, worker, last_attempt_at, instant, outcome, error, traceback FROM held ORDER BY number
    )
    SELECT held.number::integer - 1 FROM held;
    -- A job may be released any number of times: the newest hundred of its attempts are kept.
    IF EXISTS (SELECT FROM json_array_elements(acks) AS given WHERE given ->> 'status' = 'todo') THEN
        DELETE FROM background_service_job_attempts AS old
        USING unnest(locked) AS job (id)
        WHERE old.job_id = job.id AND old.id <= (
            SELECT id FROM background_service_job_attempts WHERE job_id = job.id ORDER BY job_id, id DESC
            LIMIT 1 OFFSET 100
        );
    END IF;
END;
$$;

-- Acknowledge attempts once their rows are free. Return the numbers, from 0, of those whose claim was lost.
CREATE FUNCTION tetherpy_acknowledge(acks json, instant timestamptz) RETURNS SETOF integer
LANGUAGE plpgsql
AS $$
DECLARE
    ids bigint[] := ARRAY(SELECT (ack ->> 'id')::bigint FROM json_array_elements(acks) AS ack);
BEGIN
    PERFORM FROM procrastinate_jobs WHERE id = ANY (ids) ORDER BY id FOR UPDATE;
    RETURN QUERY
    SELECT series.number FROM generate_series(0, cardinality(ids) - 1) AS series (number)
    EXCEPT SELECT tetherpy_acknowledge_locked(acks, ids, instant)
    ORDER BY 1;
END;
$$;

-- The work of a worker between two batches, in one statement: release claims whose response was lost, acknowledge,
-- claim. "known" are the fencing tokens that the worker holds if a response may have been lost, else NULL; "release" is
-- the ack of a released attempt. An ack whose row another transaction has locked is postponed and delays no other. At
-- least one row; the last one carries no claim.
CREATE FUNCTION tetherpy_ack_and_fetch(
    claimant text, known bigint[], release json, acks json, slots integer, queues varchar[], keys varchar[],
    instant timestamptz, lease_end timestamptz
) RETURNS TABLE (
    rejected integer[], postponed integer[], next_due timestamptz, claim bigint, job background_service_jobs
)
LANGUAGE plpgsql
AS $$
DECLARE
    free bigint[];
    accepted integer[];
    chosen bigint[] := '{}';
    passed_over boolean := false;
    more boolean := false;
BEGIN
    PERFORM set_config('tetherpy.notify', 'later', true);
    IF known IS NOT NULL THEN
        PERFORM tetherpy_acknowledge(json_agg(release::jsonb || jsonb_build_object(
            'id', record.job_id, 'worker', claimant, 'fencing_token', record.fencing_token, 'attempt', record.attempts
        )), instant)
        FROM tetherpy_job_records AS record
        JOIN procrastinate_jobs AS running ON running.id = record.job_id AND running.status = 'doing'
        WHERE record.claimed_by = claimant AND record.fencing_token <> ALL (known)
        HAVING count(*) > 0;
    END IF;
    rejected := '{}';
    postponed := '{}';
    IF acks IS NOT NULL THEN
        free := ARRAY(
            SELECT id FROM procrastinate_jobs
            WHERE id = ANY (
                ARRAY(SELECT (ack ->> 'id')::bigint FROM json_array_elements(acks) AS ack)
            )
            ORDER BY id
            FOR UPDATE SKIP LOCKED
        );
        accepted := ARRAY(SELECT tetherpy_acknowledge_locked(acks, free, instant));
        IF cardinality(accepted) < json_array_length(acks) THEN
            SELECT coalesce(array_agg(late.number) FILTER (WHERE NOT late.waits), '{}'),
                coalesce(array_agg(late.number) FILTER (WHERE late.waits), '{}')
            INTO rejected, postponed
            FROM (
                SELECT given.number::integer - 1 AS number, given.id <> ALL (free) AND EXISTS (
                    SELECT FROM tetherpy_job_records AS record
                    WHERE record.job_id = given.id AND record.claimed_by = given.worker
                        AND record.fencing_token = given.fencing_token
                ) AS waits
                FROM ROWS FROM (json_to_recordset(acks) AS (id bigint, worker text, fencing_token bigint))
                    WITH ORDINALITY AS given (id, worker, fencing_token, number)
                WHERE given.number - 1 <> ALL (accepted)
                ORDER BY given.number
            ) AS late;
        END IF;
    END IF;
    IF slots > 0 THEN
        SELECT found.chosen, found.passed_over, found.more INTO chosen, passed_over, more
        FROM tetherpy_choose_jobs(slots, queues, keys, instant) AS found;
    END IF;
    IF chosen <> '{}' THEN
        UPDATE tetherpy_job_records
        SET attempts = least(attempts, 2147483646) + 1, fencing_token = nextval('tetherpy_fencing_tokens'),
            claimed_by = claimant, lease_expires_at = lease_end, last_attempt_at = instant, updated_at = instant,
            progress = NULL, progress_message = NULL, cancel_requested_at = NULL
        WHERE job_id = ANY (chosen);
        UPDATE procrastinate_jobs
        SET status = 'doing', tetherpy_unhandled = false,
            worker_id = (SELECT worker_id FROM background_service_workers WHERE id = claimant)
        WHERE id = ANY (chosen);
        RETURN QUERY
        SELECT rejected, postponed, NULL::timestamptz, record.fencing_token, claimed
        FROM background_service_jobs AS claimed
        JOIN tetherpy_job_records AS record ON record.job_id = claimed.id
        WHERE claimed.id = ANY (chosen)
        ORDER BY claimed.priority DESC, claimed.run_at, claimed.id;
    END IF;
    claim := NULL;
    job := NULL;
    -- A date beyond the calendars of programming languages is never due.
    SELECT min(waiting.scheduled_at) INTO next_due
    FROM procrastinate_jobs AS waiting
    WHERE waiting.status = 'todo' AND NOT waiting.tetherpy_due AND waiting.scheduled_at < '9999-12-01';
    -- Jobs that are due and still marked are locked by another transaction, unless no slot was free.
    IF passed_over OR (slots > 0 AND next_due <= instant) THEN
        next_due := least(CASE WHEN next_due > instant THEN next_due END, instant + interval '1 second');
    END IF;
    IF more THEN
        next_due := instant;
    END IF;
    RETURN NEXT;
END;
$$;

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

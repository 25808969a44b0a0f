-- Procrastinate's tables hold the queue: what waits, in which order, who runs it. Beside each of its jobs is one
-- record with what it has no room for, changed in the same transactions and deleted with it by a trigger (foreign
-- keys would do the same, and cost 50 microseconds per row). "background_service_jobs" joins both under the names
-- that the SQLite table has, so that whoever reads the one can read the other.

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
    claimed_by text,
    lease_expires_at timestamptz,
    progress double precision,
    progress_message text,
    result text,
    finished_at timestamptz,
    cancel_requested_at timestamptz
) WITH (fillfactor = 70);

CREATE INDEX tetherpy_job_records_finished ON tetherpy_job_records (finished_at) WHERE finished_at IS NOT NULL;

-- Claims walk this one in order and stop at the first row they need.
CREATE INDEX tetherpy_jobs_ready ON procrastinate_jobs (queue_name, priority DESC, scheduled_at, id)
    WHERE status = 'todo';
-- On an expression, so that no claim is planned over it: that would read every job that is due.
CREATE INDEX tetherpy_jobs_due ON procrastinate_jobs ((scheduled_at AT TIME ZONE 'UTC')) WHERE status = 'todo';
-- Procrastinate's own index frees a queueing lock as soon as its job runs; a unique key is kept until it has ended.
CREATE UNIQUE INDEX tetherpy_jobs_unique ON procrastinate_jobs (queueing_lock) WHERE status IN ('todo', 'doing');
CREATE INDEX tetherpy_jobs_unique_history ON procrastinate_jobs (queueing_lock, id) WHERE queueing_lock IS NOT NULL;
CREATE INDEX tetherpy_jobs_status ON procrastinate_jobs (tetherpy_status(status), id);
CREATE INDEX tetherpy_jobs_key ON procrastinate_jobs (task_name, id);

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
    record.cancel_requested_at
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
    notification_content text NOT NULL DEFAULT ''
);

-- What each statement changed: jobs entering and leaving a status, and how many moves that were. Their sums are the
-- counts and the revisions. One row per status would be shorter, and every transaction would wait for every other.
CREATE TABLE tetherpy_job_changes (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    status text NOT NULL,
    jobs bigint NOT NULL,
    moves bigint NOT NULL
);

CREATE FUNCTION tetherpy_tell() RETURNS void
LANGUAGE sql
AS $$ SELECT pg_notify('tetherpy_jobs', '') $$;

CREATE FUNCTION tetherpy_jobs_inserted() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO tetherpy_job_changes (status, jobs, moves)
    SELECT tetherpy_status(status), count(*), count(*) FROM entered GROUP BY 1;
    IF FOUND THEN
        PERFORM tetherpy_tell();
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
        PERFORM tetherpy_tell();
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
        DELETE FROM tetherpy_job_records WHERE job_id = ANY (ARRAY(SELECT id FROM departed));
        DELETE FROM background_service_job_attempts WHERE job_id = ANY (ARRAY(SELECT id FROM departed));
        PERFORM tetherpy_tell();
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

-- Which file's jobs are being, or were, copied into these tables.
CREATE TABLE tetherpy_copies (
    source text PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);

-- Store jobs through Procrastinate's own function, and their records; one statement, one round trip.
CREATE FUNCTION tetherpy_defer_jobs(jobs json, instant timestamptz) RETURNS SETOF bigint
LANGUAGE plpgsql
AS $$
DECLARE
    ids bigint[];
BEGIN
    SELECT procrastinate_defer_jobs_v1(array_agg(
        ROW(queue, job_key, priority, NULL, unique_key, '{}', coalesce(run_at, instant))::procrastinate_job_to_defer_v1
        ORDER BY number
    ))
    INTO ids
    FROM ROWS FROM (json_to_recordset(jobs) AS
        (queue text, job_key text, priority integer, unique_key text, run_at timestamptz)) WITH ORDINALITY
        AS new_jobs (queue, job_key, priority, unique_key, run_at, number);
    INSERT INTO tetherpy_job_records (job_id, payload, max_attempts, created_at, updated_at, timeout)
    SELECT new_jobs.id, new_jobs.payload, new_jobs.max_attempts, instant, instant, new_jobs.timeout
    FROM ROWS FROM (json_to_recordset(jobs) AS
        (payload text, max_attempts bigint, timeout double precision), unnest(ids))
        AS new_jobs (payload, max_attempts, timeout, id);
    RETURN QUERY SELECT unnest(ids);
END;
$$;

-- Store a job unless its unique key is taken by one that has not ended; the id of the one that is there then.
CREATE FUNCTION tetherpy_defer_unique_job(job json, instant timestamptz) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    found_id bigint;
BEGIN
    LOOP
        SELECT id INTO found_id FROM procrastinate_jobs
        WHERE queueing_lock = job ->> 'unique_key' AND status IN ('todo', 'doing');
        IF found_id IS NOT NULL THEN
            RETURN found_id;
        END IF;
        BEGIN
            SELECT tetherpy_defer_jobs(json_build_array(job), instant) INTO found_id;
            RETURN found_id;
        EXCEPTION WHEN unique_violation THEN
            -- Another transaction stored one meanwhile, and is committed: look again, unless this one's snapshot will
            -- never show it.
            IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
                RAISE serialization_failure USING MESSAGE = format(
                    'another transaction has stored a job with the unique key "%s" meanwhile', job ->> 'unique_key'
                );
            END IF;
        END;
    END LOOP;
END;
$$;

CREATE FUNCTION tetherpy_queues_with_work() RETURNS SETOF varchar
LANGUAGE sql STABLE
AS $$
    -- In the order of the index of what is ready: another one would lead over every job that has ended.
    WITH RECURSIVE queues (name) AS (
        (
            SELECT queue_name FROM procrastinate_jobs WHERE status = 'todo'
            ORDER BY queue_name, priority DESC, scheduled_at, id LIMIT 1
        )
        UNION ALL
        SELECT next.queue_name
        FROM queues
        CROSS JOIN LATERAL (
            SELECT queue_name FROM procrastinate_jobs WHERE status = 'todo' AND queue_name > queues.name
            ORDER BY queue_name, priority DESC, scheduled_at, id LIMIT 1
        ) AS next
    )
    SELECT name FROM queues
$$;

-- Claim up to "slots" jobs: higher priority first, then the instant they fell due, then id, across queues. Rows that
-- another transaction is about to claim are passed over.
CREATE FUNCTION tetherpy_claim_jobs(
    claimant text, slots integer, queues varchar[], instant timestamptz, lease_end timestamptz
) RETURNS SETOF background_service_jobs
LANGUAGE plpgsql
AS $$
DECLARE
    names varchar[] := coalesce(queues, ARRAY(SELECT tetherpy_queues_with_work()));
    level integer;
    chosen bigint[] := '{}';
BEGIN
    WHILE cardinality(chosen) < slots LOOP
        SELECT max(next.priority) INTO level
        FROM unnest(names) AS queue (name)
        CROSS JOIN LATERAL (
            SELECT job.priority FROM procrastinate_jobs AS job
            WHERE job.status = 'todo' AND job.queue_name = queue.name AND (level IS NULL OR job.priority < level)
            ORDER BY job.priority DESC LIMIT 1
        ) AS next;
        EXIT WHEN level IS NULL;
        chosen := chosen || ARRAY(
            SELECT ready.id
            FROM unnest(names) AS queue (name)
            CROSS JOIN LATERAL (
                SELECT job.id, job.scheduled_at FROM procrastinate_jobs AS job
                WHERE job.status = 'todo' AND job.queue_name = queue.name AND job.priority = level
                    AND job.scheduled_at <= instant
                    AND EXISTS (SELECT FROM tetherpy_job_records AS record WHERE record.job_id = job.id)
                ORDER BY job.scheduled_at, job.id
                LIMIT slots - cardinality(chosen)
                FOR UPDATE SKIP LOCKED
            ) AS ready
            ORDER BY ready.scheduled_at, ready.id
            LIMIT slots - cardinality(chosen)
        );
    END LOOP;
    IF chosen = '{}' THEN
        RETURN;
    END IF;
    UPDATE tetherpy_job_records
    SET attempts = attempts + 1, claimed_by = claimant, lease_expires_at = lease_end, last_attempt_at = instant,
        updated_at = instant, progress = NULL, progress_message = NULL, cancel_requested_at = NULL
    WHERE job_id = ANY (chosen);
    UPDATE procrastinate_jobs
    SET status = 'doing', worker_id = (SELECT worker_id FROM background_service_workers WHERE id = claimant)
    WHERE id = ANY (chosen);
    RETURN QUERY
    SELECT job.* FROM background_service_jobs AS job WHERE job.id = ANY (chosen)
    ORDER BY job.priority DESC, job.run_at, job.id;
END;
$$;

-- Settle attempts, each behind its fence; the numbers of those whose claim was lost, from 0.
CREATE FUNCTION tetherpy_settle_jobs(settlements json, instant timestamptz) RETURNS SETOF integer
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM FROM procrastinate_jobs
    WHERE id = ANY (ARRAY(SELECT (settlement ->> 'id')::bigint FROM json_array_elements(settlements) AS settlement))
    ORDER BY id
    FOR UPDATE;
    RETURN QUERY
    WITH asked AS (
        SELECT DISTINCT ON (settlement.id, settlement.attempt) settlement.*
        FROM ROWS FROM (json_to_recordset(settlements) AS (
            id bigint, worker text, attempt integer, status procrastinate_job_status, outcome text, uncounted integer,
            result text, error text, run_at timestamptz, traceback text
        )) WITH ORDINALITY AS settlement (
            id, worker, attempt, status, outcome, uncounted, result, error, run_at, traceback, number
        )
        ORDER BY settlement.id, settlement.attempt, settlement.number
    ), held AS (
        SELECT asked.*,
            -- A job whose cancellation was asked for does not run again.
            CASE WHEN asked.status = 'todo' AND record.cancel_requested_at IS NOT NULL THEN 'aborted'
                ELSE asked.status END AS target,
            record.last_attempt_at
        FROM asked
        JOIN tetherpy_job_records AS record ON record.job_id = asked.id
            AND record.claimed_by = asked.worker AND record.attempts = asked.attempt
        JOIN procrastinate_jobs AS job ON job.id = asked.id AND job.status = 'doing'
    ), recorded AS (
        UPDATE tetherpy_job_records AS record
        SET attempts = record.attempts - held.uncounted,
            result = held.result,
            last_error = CASE WHEN held.status = 'todo' THEN coalesce(held.error, record.last_error)
                ELSE held.error END,
            finished_at = CASE WHEN held.target <> 'todo' THEN instant END,
            progress = CASE WHEN held.status <> 'todo' THEN record.progress END,
            progress_message = CASE WHEN held.status <> 'todo' THEN record.progress_message END,
            updated_at = instant, claimed_by = NULL, lease_expires_at = NULL
        FROM held WHERE record.job_id = held.id
    ), queued AS (
        UPDATE procrastinate_jobs AS job
        SET status = held.target, attempts = held.attempt - held.uncounted, worker_id = NULL, abort_requested = false,
            scheduled_at = coalesce(held.run_at, job.scheduled_at)
        FROM held WHERE job.id = held.id
    ), remembered AS (
        INSERT INTO background_service_job_attempts (
            job_id, attempt, worker, started_at, finished_at, outcome, error, traceback
        )
        SELECT id, attempt, worker, last_attempt_at, instant, outcome, error, traceback FROM held ORDER BY number
    )
    SELECT series.number::integer FROM generate_series(0, json_array_length(settlements) - 1) AS series (number)
    WHERE series.number NOT IN (SELECT held.number - 1 FROM held)
    ORDER BY 1;
END;
$$;

-- What a worker does between batches of work, in one statement: hand back claims that it never heard of, settle, claim.
-- At least one row; those that carry no claim have no id.
CREATE FUNCTION tetherpy_exchange(
    claimant text, settlements json, unheard_but bigint[], slots integer, queues varchar[], instant timestamptz,
    lease_end timestamptz
) RETURNS TABLE (rejected integer[], next_due timestamptz, job background_service_jobs)
LANGUAGE plpgsql
AS $$
BEGIN
    IF unheard_but IS NOT NULL THEN
        PERFORM tetherpy_settle_jobs(json_agg(json_build_object(
            'id', record.job_id, 'worker', claimant, 'attempt', record.attempts, 'status', 'todo',
            'outcome', 'released', 'uncounted', 1
        )), instant)
        FROM tetherpy_job_records AS record
        JOIN procrastinate_jobs AS running ON running.id = record.job_id AND running.status = 'doing'
        WHERE record.claimed_by = claimant AND record.job_id <> ALL (unheard_but)
        HAVING count(*) > 0;
    END IF;
    rejected := '{}';
    IF settlements IS NOT NULL THEN
        rejected := ARRAY(SELECT tetherpy_settle_jobs(settlements, instant));
    END IF;
    IF slots > 0 THEN
        FOR job IN SELECT * FROM tetherpy_claim_jobs(claimant, slots, queues, instant, lease_end) LOOP
            RETURN NEXT;
        END LOOP;
    END IF;
    job := NULL;
    SELECT min(waiting.scheduled_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' INTO next_due
    FROM procrastinate_jobs AS waiting
    WHERE waiting.status = 'todo' AND waiting.scheduled_at AT TIME ZONE 'UTC' > instant AT TIME ZONE 'UTC';
    RETURN NEXT;
END;
$$;

-- Take back RUNNING jobs whose worker is dead or does not answer, with a row for the attempt that was cut off.
CREATE FUNCTION tetherpy_take_back_jobs(ids bigint[], word text, instant timestamptz) RETURNS SETOF bigint
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM FROM procrastinate_jobs WHERE id = ANY (ids) ORDER BY id FOR UPDATE;
    RETURN QUERY
    WITH lost AS (
        SELECT job.id, record.attempts, record.claimed_by, record.last_attempt_at,
            word || ': ' || coalesce(record.claimed_by, 'nobody') || ' did not finish attempt ' || record.attempts
                AS error,
            (CASE
                WHEN record.cancel_requested_at IS NOT NULL THEN 'aborted'
                WHEN record.attempts >= record.max_attempts THEN 'failed'
                ELSE 'todo'
            END)::procrastinate_job_status AS target
        FROM procrastinate_jobs AS job
        JOIN tetherpy_job_records AS record ON record.job_id = job.id
        WHERE job.id = ANY (ids) AND job.status = 'doing'
    ), remembered AS (
        INSERT INTO background_service_job_attempts (
            job_id, attempt, worker, started_at, finished_at, outcome, error
        )
        SELECT id, attempts, claimed_by, last_attempt_at, instant, word, error FROM lost
    ), recorded AS (
        UPDATE tetherpy_job_records AS record
        SET last_error = lost.error, finished_at = CASE WHEN lost.target <> 'todo' THEN instant END,
            updated_at = instant, claimed_by = NULL, lease_expires_at = NULL, progress = NULL, progress_message = NULL
        FROM lost WHERE record.job_id = lost.id
    )
    UPDATE procrastinate_jobs AS job
    SET status = lost.target, attempts = lost.attempts, worker_id = NULL, abort_requested = false,
        scheduled_at = least(job.scheduled_at, instant)
    FROM lost WHERE job.id = lost.id
    RETURNING job.id;
END;
$$;

-- One job per tick, by Procrastinate's table of what was deferred. Its own function forgets all older ticks at once,
-- and would repeat them after a clock was moved back; here they are forgotten after 30 days.
CREATE FUNCTION tetherpy_defer_tick(periodic_name text, tick bigint, job json, instant timestamptz) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    deferred_id bigint;
    new_id bigint;
BEGIN
    -- The name alone tells periodic jobs apart, whatever job they enqueue.
    INSERT INTO procrastinate_periodic_defers (task_name, periodic_id, defer_timestamp)
    VALUES (periodic_name, periodic_name, tick)
    ON CONFLICT DO NOTHING
    RETURNING id INTO deferred_id;
    IF deferred_id IS NULL THEN
        RETURN NULL;
    END IF;
    new_id := CASE
        WHEN job ->> 'unique_key' IS NULL
        THEN (SELECT id FROM tetherpy_defer_jobs(json_build_array(job), instant) AS stored (id))
        ELSE tetherpy_defer_unique_job(job, instant)
    END;
    UPDATE procrastinate_periodic_defers SET job_id = new_id WHERE id = deferred_id;
    DELETE FROM procrastinate_periodic_defers
    WHERE task_name = periodic_name AND periodic_id = periodic_name
        AND defer_timestamp < tick - 30 * 24 * 3600 * 1000000::bigint;
    RETURN new_id;
END;
$$;

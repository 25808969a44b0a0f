-- Two marks keep out of the way of claims what they cannot take. A job that is not due is let in when its time has
-- come; a job without a handler is found by its key. Any claim that meets an unmarked one of these marks it.
ALTER TABLE procrastinate_jobs
    ADD COLUMN tetherpy_due boolean NOT NULL DEFAULT true,
    ADD COLUMN tetherpy_unhandled boolean NOT NULL DEFAULT false;
UPDATE procrastinate_jobs SET tetherpy_due = false WHERE status = 'todo' AND scheduled_at > now();

-- The job keys that a worker has handlers for; NULL if it takes every key.
ALTER TABLE background_service_workers ADD COLUMN job_keys text[];

-- Names the advisory lock that a worker shares while it says which keys it has handlers for. Who makes jobs FAILED for
-- want of a handler has it alone; any number does that nobody else uses.
CREATE FUNCTION tetherpy_lock_of_keys() RETURNS bigint
LANGUAGE sql IMMUTABLE
AS $$ SELECT 7305514922862 $$;

-- Make jobs of a key FAILED that were set aside, unless a registered worker has a handler for it. The lock comes first:
-- what a statement sees is settled when it begins.
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

-- One index in the order of claims over all queues, and one for workers that name theirs.
DROP INDEX tetherpy_jobs_ready;
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
-- The status is in it for lists by key and status; lists by key alone merge the statuses.
DROP INDEX tetherpy_jobs_key;
CREATE INDEX tetherpy_jobs_key ON procrastinate_jobs (task_name, tetherpy_status(status), id);

-- Of all transactions of a server that notify, one commits at a time. So a process can promise, with the setting
-- "tetherpy.notify" in its transaction, to notify later, after its commit; "owed" tells it that there is a reason.
CREATE OR REPLACE FUNCTION tetherpy_tell() RETURNS void
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

-- What any program changes is summed up now and then by the statement that changes it, since there need be no worker.
-- Rows that another transaction is summing up are left to it. Where a transaction has one snapshot for all of its
-- statements that could fail, and nothing is summed up.
CREATE FUNCTION tetherpy_changed() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    -- A prime, so that statements that write two or three rows each come upon it as well.
    IF lastval() % 251 = 0 AND current_setting('transaction_isolation') = 'read committed' THEN
        WITH summed AS (
            DELETE FROM tetherpy_job_changes
            WHERE id IN (SELECT id FROM tetherpy_job_changes ORDER BY id LIMIT 10000 FOR UPDATE SKIP LOCKED)
            RETURNING status, jobs, moves
        )
        INSERT INTO tetherpy_job_changes (status, jobs, moves)
        SELECT status, sum(jobs), sum(moves) FROM summed GROUP BY status;
    END IF;
    PERFORM tetherpy_tell();
END;
$$;

CREATE OR REPLACE FUNCTION tetherpy_jobs_inserted() RETURNS trigger
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

CREATE OR REPLACE FUNCTION tetherpy_jobs_updated() RETURNS trigger
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

CREATE OR REPLACE FUNCTION tetherpy_jobs_deleted() RETURNS trigger
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

-- Store jobs through Procrastinate's own function, and their records; one statement, one round trip.
CREATE OR REPLACE FUNCTION tetherpy_defer_jobs(jobs json, instant timestamptz) RETURNS SETOF bigint
LANGUAGE plpgsql
AS $$
DECLARE
    ids bigint[];
    some_later boolean;
BEGIN
    SELECT procrastinate_defer_jobs_v1(array_agg(
        ROW(queue, job_key, priority, NULL, unique_key, '{}', coalesce(run_at, instant))::procrastinate_job_to_defer_v1
        ORDER BY number
    )), bool_or(run_at > instant)
    INTO ids, some_later
    FROM ROWS FROM (json_to_recordset(jobs) AS
        (queue text, job_key text, priority integer, unique_key text, run_at timestamptz)) WITH ORDINALITY
        AS new_jobs (queue, job_key, priority, unique_key, run_at, number);
    IF some_later THEN
        UPDATE procrastinate_jobs SET tetherpy_due = false WHERE id = ANY (ids) AND scheduled_at > instant;
    END IF;
    INSERT INTO tetherpy_job_records (job_id, payload, max_attempts, created_at, updated_at, timeout)
    SELECT new_jobs.id, new_jobs.payload, new_jobs.max_attempts, instant, instant, new_jobs.timeout
    FROM ROWS FROM (json_to_recordset(jobs) AS
        (payload text, max_attempts bigint, timeout double precision), unnest(ids))
        AS new_jobs (payload, max_attempts, timeout, id);
    RETURN QUERY SELECT unnest(ids);
END;
$$;

DROP FUNCTION tetherpy_choose_jobs(integer, varchar[], timestamptz);
DROP FUNCTION tetherpy_exchange(text, bigint[], json, integer, varchar[], timestamptz, timestamptz);
DROP FUNCTION tetherpy_queues_with_work();

-- The keys of the jobs that were set aside: one step in the index for each, however many jobs.
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

-- Choose, and lock, up to "slots" jobs: higher priority first, then the instant they fell due, then id, across queues.
-- What is met on the way and cannot be taken is marked. Rows that another transaction has locked are passed over, which
-- is told: should it end without a change, no notification follows. "more" tells that there was too much to mark.
-- Without the settings, outdated statistics could make the planner sort all that waits. A scalar subquery looks for the
-- record, since for EXISTS the planner may read all records.
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
    rounds integer := 0;
BEGIN
    chosen := '{}';
    passed_over := false;
    more := false;
    IF EXISTS (SELECT FROM procrastinate_jobs WHERE status = 'todo' AND NOT tetherpy_due AND scheduled_at <= instant)
    THEN
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
            SELECT coalesce(array_agg(place.id ORDER BY place.number) FILTER (WHERE place.fits), '{}'),
                coalesce(array_agg(place.id) FILTER (WHERE NOT place.fits), '{}')
            INTO taken, refused
            FROM (
                SELECT found.id, found.fits, row_number() OVER () AS number
                FROM (
                    SELECT ready.* FROM unnest(queues) AS queue (name)
                    CROSS JOIN LATERAL (
                        SELECT job.id, job.priority, job.scheduled_at,
                            coalesce(job.scheduled_at <= instant, true) AND (keys IS NULL OR job.task_name = ANY (keys))
                            AND (SELECT true FROM tetherpy_job_records AS record WHERE record.job_id = job.id)
                            IS TRUE AS fits
                        FROM procrastinate_jobs AS job
                        WHERE job.status = 'todo' AND job.tetherpy_due AND NOT job.tetherpy_unhandled
                            AND job.queue_name = queue.name AND job.id <> ALL (chosen)
                        ORDER BY job.priority DESC, job.scheduled_at, job.id
                        LIMIT wanted
                        FOR UPDATE OF job SKIP LOCKED
                    ) AS ready
                    UNION ALL
                    SELECT aside.* FROM unnest(queues) AS queue (name), unnest(waiting) AS key (name)
                    CROSS JOIN LATERAL (
                        SELECT job.id, job.priority, job.scheduled_at, coalesce(job.scheduled_at <= instant, true)
                        FROM procrastinate_jobs AS job
                        WHERE job.status = 'todo' AND job.tetherpy_due AND job.tetherpy_unhandled
                            AND job.task_name = key.name AND job.queue_name = queue.name AND job.id <> ALL (chosen)
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
        EXIT WHEN refused = '{}';
        rounds := rounds + 1;
        IF rounds > 10 THEN
            more := true;
            EXIT;
        END IF;
        -- Others like these follow as a rule: the first thousand are marked at once.
        IF queues IS NULL THEN
            first := ARRAY(
                SELECT id FROM procrastinate_jobs
                WHERE status = 'todo' AND tetherpy_due AND NOT tetherpy_unhandled
                ORDER BY priority DESC, scheduled_at, id
                LIMIT 1000
            );
        ELSE
            first := ARRAY(
                SELECT ready.id FROM unnest(queues) AS queue (name)
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
            SELECT FROM procrastinate_jobs AS job
            WHERE queues IS NULL AND job.status = 'todo' AND job.tetherpy_due AND NOT job.tetherpy_unhandled
                AND job.id <> ALL (chosen)
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

-- Settle attempts of jobs whose rows are locked by the caller, each behind its fence; the numbers, from 0, of those
-- that count.
CREATE OR REPLACE FUNCTION tetherpy_settle_locked_jobs(settlements json, locked bigint[], instant timestamptz)
RETURNS SETOF integer
LANGUAGE plpgsql
AS $$
BEGIN
    RETURN QUERY
    WITH asked AS (
        SELECT DISTINCT ON (settlement.id, settlement.fence) settlement.*
        FROM ROWS FROM (json_to_recordset(settlements) AS (
            id bigint, worker text, fence bigint, attempt integer, status procrastinate_job_status, outcome text,
            uncounted integer, result text, error text, run_at timestamptz, traceback text
        )) WITH ORDINALITY AS settlement (
            id, worker, fence, attempt, status, outcome, uncounted, result, error, run_at, traceback, number
        )
        WHERE settlement.id = ANY (locked)
        ORDER BY settlement.id, settlement.fence, settlement.number
    ), held AS (
        SELECT asked.*,
            -- A job whose cancellation was asked for does not run again.
            CASE WHEN asked.status = 'todo' AND record.cancel_requested_at IS NOT NULL THEN 'aborted'
                ELSE asked.status END AS target,
            record.last_attempt_at
        FROM asked
        JOIN tetherpy_job_records AS record ON record.job_id = asked.id
            AND record.claimed_by = asked.worker AND record.fence = asked.fence
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
    -- A job may be given back any number of times: the newest hundred of its attempts are kept.
    IF EXISTS (SELECT FROM json_array_elements(settlements) AS given WHERE given ->> 'status' = 'todo') THEN
        DELETE FROM background_service_job_attempts AS old
        USING unnest(locked) AS job (id)
        WHERE old.job_id = job.id AND old.id <= (
            SELECT id FROM background_service_job_attempts WHERE job_id = job.id ORDER BY job_id, id DESC
            LIMIT 1 OFFSET 100
        );
    END IF;
END;
$$;

-- Take back RUNNING jobs whose worker is dead or does not answer, with a row for the attempt that was cut off.
CREATE OR REPLACE FUNCTION tetherpy_take_back_jobs(ids bigint[], word text, instant timestamptz) RETURNS SETOF bigint
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
        scheduled_at = least(job.scheduled_at, instant), tetherpy_due = true
    FROM lost WHERE job.id = lost.id
    RETURNING job.id;
END;
$$;

-- What a worker does between batches of work, in one statement: hand back claims that it never heard of, settle, claim.
-- A settlement whose row another transaction has locked is postponed, and keeps none of the others waiting. At least
-- one row; those that carry no claim have no id.
CREATE FUNCTION tetherpy_exchange(
    claimant text, heard_of bigint[], settlements json, slots integer, queues varchar[], instant timestamptz,
    lease_end timestamptz, keys varchar[] DEFAULT NULL
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
    IF heard_of IS NOT NULL THEN
        PERFORM tetherpy_settle_jobs(json_agg(json_build_object(
            'id', record.job_id, 'worker', claimant, 'fence', record.fence, 'attempt', record.attempts,
            'status', 'todo', 'outcome', 'released', 'uncounted', 1
        )), instant)
        FROM tetherpy_job_records AS record
        JOIN procrastinate_jobs AS running ON running.id = record.job_id AND running.status = 'doing'
        WHERE record.claimed_by = claimant AND record.fence <> ALL (heard_of)
        HAVING count(*) > 0;
    END IF;
    rejected := '{}';
    postponed := '{}';
    IF settlements IS NOT NULL THEN
        free := ARRAY(
            SELECT id FROM procrastinate_jobs
            WHERE id = ANY (
                ARRAY(SELECT (settlement ->> 'id')::bigint FROM json_array_elements(settlements) AS settlement)
            )
            ORDER BY id
            FOR UPDATE SKIP LOCKED
        );
        accepted := ARRAY(SELECT tetherpy_settle_locked_jobs(settlements, free, instant));
        IF cardinality(accepted) < json_array_length(settlements) THEN
            SELECT coalesce(array_agg(late.number) FILTER (WHERE NOT late.waits), '{}'),
                coalesce(array_agg(late.number) FILTER (WHERE late.waits), '{}')
            INTO rejected, postponed
            FROM (
                SELECT given.number::integer - 1 AS number, given.id <> ALL (free) AND EXISTS (
                    SELECT FROM tetherpy_job_records AS record
                    WHERE record.job_id = given.id AND record.claimed_by = given.worker AND record.fence = given.fence
                ) AS waits
                FROM ROWS FROM (json_to_recordset(settlements) AS (id bigint, worker text, fence bigint))
                    WITH ORDINALITY AS given (id, worker, fence, number)
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
        SET attempts = least(attempts, 2147483646) + 1, fence = nextval('tetherpy_fences'), claimed_by = claimant,
            lease_expires_at = lease_end, last_attempt_at = instant, updated_at = instant, progress = NULL,
            progress_message = NULL, cancel_requested_at = NULL
        WHERE job_id = ANY (chosen);
        UPDATE procrastinate_jobs
        SET status = 'doing', tetherpy_unhandled = false, worker_id = (SELECT worker_id FROM background_service_workers WHERE id = claimant)
        WHERE id = ANY (chosen);
        RETURN QUERY
        SELECT rejected, postponed, NULL::timestamptz, record.fence, claimed
        FROM background_service_jobs AS claimed
        JOIN tetherpy_job_records AS record ON record.job_id = claimed.id
        WHERE claimed.id = ANY (chosen)
        ORDER BY claimed.priority DESC, claimed.run_at, claimed.id;
    END IF;
    claim := NULL;
    job := NULL;
    -- What lies beyond the calendar of other languages is never due.
    SELECT min(waiting.scheduled_at) INTO next_due
    FROM procrastinate_jobs AS waiting
    WHERE waiting.status = 'todo' AND NOT waiting.tetherpy_due AND waiting.scheduled_at < '9999-12-01';
    -- Due and not let in is what another transaction has locked, unless no slot was free.
    IF passed_over OR (slots > 0 AND next_due <= instant) THEN
        next_due := least(greatest(next_due, instant + interval '1 second'), instant + interval '1 second');
    END IF;
    IF more THEN
        next_due := instant;
    END IF;
    RETURN NEXT;
END;
$$;

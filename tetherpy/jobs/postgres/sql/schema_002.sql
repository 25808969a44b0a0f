-- Each claim has a number of its own, which is the fence of the run that it begins: attempts can be set back by hand,
-- and a run that goes on since before that must not end the one that has its number now.
CREATE SEQUENCE tetherpy_fences;
ALTER TABLE tetherpy_job_records ADD COLUMN fence bigint NOT NULL DEFAULT 0;

-- Processes of the version before know no fence. They are refused from here on instead of settling without one.
DROP FUNCTION tetherpy_exchange(text, json, bigint[], integer, varchar[], timestamptz, timestamptz);
DROP FUNCTION tetherpy_claim_jobs(text, integer, varchar[], timestamptz, timestamptz);

-- Choose, and lock, up to "slots" jobs: higher priority first, then the instant they fell due, then id, across queues.
-- Rows that another transaction has locked are passed over, which is told: should it end without a change, nobody will
-- hear of it.
CREATE FUNCTION tetherpy_choose_jobs(
    slots integer, queues varchar[], instant timestamptz, OUT chosen bigint[], OUT passed_over boolean
)
LANGUAGE plpgsql
AS $$
DECLARE
    names varchar[] := coalesce(queues, ARRAY(SELECT tetherpy_queues_with_work()));
    level integer;
BEGIN
    chosen := '{}';
    passed_over := false;
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
        passed_over := passed_over OR (cardinality(chosen) < slots AND EXISTS (
            SELECT FROM unnest(names) AS queue (name)
            CROSS JOIN LATERAL (
                SELECT FROM procrastinate_jobs AS job
                WHERE job.status = 'todo' AND job.queue_name = queue.name AND job.priority = level
                    AND job.scheduled_at <= instant AND job.id <> ALL (chosen)
                    AND EXISTS (SELECT FROM tetherpy_job_records AS record WHERE record.job_id = job.id)
                ORDER BY job.scheduled_at, job.id
                LIMIT 1
            ) AS locked
        ));
    END LOOP;
END;
$$;

-- Settle attempts of jobs whose rows are locked by the caller, each behind its fence; the numbers, from 0, of those
-- that count.
CREATE FUNCTION tetherpy_settle_locked_jobs(settlements json, locked bigint[], instant timestamptz)
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
            scheduled_at = coalesce(held.run_at, job.scheduled_at)
        FROM held WHERE job.id = held.id
    ), remembered AS (
        INSERT INTO background_service_job_attempts (
            job_id, attempt, worker, started_at, finished_at, outcome, error, traceback
        )
        SELECT id, attempt, worker, last_attempt_at, instant, outcome, error, traceback FROM held ORDER BY number
    )
    SELECT held.number::integer - 1 FROM held;
END;
$$;

-- Settle attempts once their rows are free; the numbers of those whose claim was lost, from 0.
CREATE OR REPLACE FUNCTION tetherpy_settle_jobs(settlements json, instant timestamptz) RETURNS SETOF integer
LANGUAGE plpgsql
AS $$
DECLARE
    ids bigint[] := ARRAY(SELECT (settlement ->> 'id')::bigint FROM json_array_elements(settlements) AS settlement);
BEGIN
    PERFORM FROM procrastinate_jobs WHERE id = ANY (ids) ORDER BY id FOR UPDATE;
    RETURN QUERY
    SELECT series.number FROM generate_series(0, cardinality(ids) - 1) AS series (number)
    EXCEPT SELECT tetherpy_settle_locked_jobs(settlements, ids, instant)
    ORDER BY 1;
END;
$$;

-- What a worker does between batches of work, in one statement: hand back claims that it never heard of, settle, claim.
-- A settlement whose row another transaction has locked is postponed, and keeps none of the others waiting. At least
-- one row; those that carry no claim have no id.
CREATE FUNCTION tetherpy_exchange(
    claimant text, heard_of bigint[], settlements json, slots integer, queues varchar[], instant timestamptz,
    lease_end timestamptz
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
BEGIN
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
        SELECT found.chosen, found.passed_over INTO chosen, passed_over
        FROM tetherpy_choose_jobs(slots, queues, instant) AS found;
    END IF;
    IF chosen <> '{}' THEN
        UPDATE tetherpy_job_records
        SET attempts = attempts + 1, fence = nextval('tetherpy_fences'), claimed_by = claimant,
            lease_expires_at = lease_end, last_attempt_at = instant, updated_at = instant, progress = NULL,
            progress_message = NULL, cancel_requested_at = NULL
        WHERE job_id = ANY (chosen);
        UPDATE procrastinate_jobs
        SET status = 'doing', worker_id = (SELECT worker_id FROM background_service_workers WHERE id = claimant)
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
    SELECT min(waiting.scheduled_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' INTO next_due
    FROM procrastinate_jobs AS waiting
    WHERE waiting.status = 'todo' AND waiting.scheduled_at AT TIME ZONE 'UTC' > instant AT TIME ZONE 'UTC';
    IF passed_over THEN
        next_due := least(next_due, instant + interval '1 second');
    END IF;
    RETURN NEXT;
END;
$$;

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
            progress = NULL, progress_message = NULL, cancel_requested_at = NULL, logs = NULL
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

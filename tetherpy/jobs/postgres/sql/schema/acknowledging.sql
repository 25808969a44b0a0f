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
            run_at timestamptz, traceback text, fraction double precision, message text, logs text
        )) WITH ORDINALITY AS ack (
            id, worker, fencing_token, attempt, status, status_if_cancelled, outcome, uncounted, result, error,
            run_at, traceback, fraction, message, logs, number
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
            updated_at = instant, claimed_by = NULL, lease_expires_at = NULL, logs = NULL
        FROM held WHERE record.job_id = held.id
    ), queued AS (
        UPDATE procrastinate_jobs AS job
        SET status = held.target, attempts = held.attempt - held.uncounted, worker_id = NULL, abort_requested = false,
            scheduled_at = coalesce(held.run_at, job.scheduled_at),
            tetherpy_due = coalesce(coalesce(held.run_at, job.scheduled_at) <= instant, true)
        FROM held WHERE job.id = held.id
    ), remembered AS (
        INSERT INTO background_service_job_attempts (
            job_id, attempt, worker, started_at, finished_at, outcome, error, traceback, logs
        )
        SELECT id, attempt, worker, last_attempt_at, instant, outcome, error, traceback, logs FROM held ORDER BY number
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

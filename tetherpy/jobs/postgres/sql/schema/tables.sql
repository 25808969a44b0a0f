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
    meta text CHECK (jsonb_typeof(meta::jsonb) = 'object'),
    version text,
    -- What the running attempt has logged; the row of the attempt has it after the end.
    logs text
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
    record.meta,
    record.version
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
    traceback text,
    logs text
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

-- The files whose jobs are being copied, or were copied, into these tables.
CREATE TABLE tetherpy_copies (
    source text PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);

WITH given AS (
    SELECT * FROM json_to_recordset(CAST(:rows AS text)::json) AS (
        id bigint, job_key text, payload_json text, status procrastinate_job_status, attempts integer,
        max_attempts bigint, last_attempt_at timestamptz, last_error text, priority integer, created_at timestamptz,
        updated_at timestamptz, queue text, run_at timestamptz, timeout double precision, unique_key text,
        claimed_by text, lease_expires_at timestamptz, progress double precision, progress_message text,
        result_json text, finished_at timestamptz, cancel_requested_at timestamptz, retry text, meta_json text,
        abort_requested boolean
    )
), records AS (
    INSERT INTO tetherpy_job_records (
        job_id, payload, attempts, max_attempts, last_attempt_at, last_error, created_at, updated_at, timeout,
        claimed_by, lease_expires_at, progress, progress_message, result, finished_at, cancel_requested_at,
        retry, meta
    )
    SELECT id, payload_json, attempts, max_attempts, last_attempt_at, last_error, created_at, updated_at, timeout,
        claimed_by, lease_expires_at, progress, progress_message, result_json, finished_at, cancel_requested_at,
        retry, meta_json
    FROM given
)
INSERT INTO procrastinate_jobs (
    id, queue_name, task_name, priority, queueing_lock, status, scheduled_at, tetherpy_due, attempts, abort_requested
)
SELECT id, queue, job_key, priority, unique_key, status, run_at, run_at <= now(), attempts, abort_requested
FROM given

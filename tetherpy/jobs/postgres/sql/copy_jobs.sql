WITH given AS (
    SELECT * FROM json_populate_recordset(NULL::background_service_jobs, CAST(:rows AS text)::json)
), records AS (
    INSERT INTO tetherpy_job_records (job_id, {record_columns})
    SELECT id, {record_columns} FROM given
)
INSERT INTO procrastinate_jobs (
    id, queue_name, task_name, priority, queueing_lock, status, scheduled_at, tetherpy_due, attempts, abort_requested
)
SELECT id, queue, job_key, priority, unique_key, status::procrastinate_job_status, run_at, run_at <= now(), attempts,
    status = 'doing' AND cancel_requested_at IS NOT NULL
FROM given

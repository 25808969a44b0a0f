WITH reported AS (
    SELECT * FROM json_to_recordset(%(updates)s::text::json) AS (
        id bigint, worker text, attempt integer, fraction double precision, message text
    )
), stored AS (
    UPDATE tetherpy_job_records AS record
    SET progress = coalesce(reported.fraction, record.progress),
        progress_message = coalesce(reported.message, record.progress_message), updated_at = %(now)s
    FROM reported
    JOIN procrastinate_jobs AS job ON job.id = reported.id AND job.status = 'doing'
    WHERE record.job_id = reported.id AND record.claimed_by = reported.worker AND record.attempts = reported.attempt
    RETURNING record.job_id
), noted AS (
    INSERT INTO tetherpy_job_changes (status, jobs, moves)
    SELECT 'RUNNING', 0, count(*) FROM stored HAVING count(*) > 0
    RETURNING id
)
SELECT tetherpy_tell() FROM noted

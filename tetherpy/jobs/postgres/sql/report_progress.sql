-- The ids of jobs whose row another transaction has locked, since those of the others do not wait for it; and whether
-- any was stored.
WITH reported AS (
    SELECT * FROM json_to_recordset(%(updates)s::text::json) AS (
        id bigint, worker text, fencing_token bigint, fraction double precision, message text, logs text
    )
), held AS (
    SELECT reported.*
    FROM reported
    JOIN tetherpy_job_records AS record ON record.job_id = reported.id
        AND record.claimed_by = reported.worker AND record.fencing_token = reported.fencing_token
    JOIN procrastinate_jobs AS job ON job.id = reported.id AND job.status = 'doing'
), free AS (
    SELECT record.job_id FROM tetherpy_job_records AS record
    WHERE record.job_id IN (SELECT id FROM held)
    FOR UPDATE SKIP LOCKED
), stored AS (
    UPDATE tetherpy_job_records AS record
    SET progress = coalesce(held.fraction, record.progress),
        progress_message = coalesce(held.message, record.progress_message),
        logs = coalesce(held.logs, record.logs), updated_at = %(now)s
    FROM held
    JOIN free ON free.job_id = held.id
    WHERE record.job_id = held.id AND record.claimed_by = held.worker AND record.fencing_token = held.fencing_token
    RETURNING record.job_id
), noted AS (
    INSERT INTO tetherpy_job_changes (status, jobs, moves)
    SELECT 'RUNNING', 0, count(*) FROM stored HAVING count(*) > 0
    RETURNING id
)
SELECT ARRAY(SELECT id FROM held WHERE id NOT IN (SELECT job_id FROM free)), EXISTS (SELECT FROM noted)

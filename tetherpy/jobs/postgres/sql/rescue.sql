-- Chosen under the locks of both rows: a job that another process rescued and a living worker claimed is left alone.
WITH lost AS (
    SELECT {lost}
    FROM procrastinate_jobs AS job
    JOIN tetherpy_job_records AS record ON record.job_id = job.id
    WHERE job.status = 'doing' AND record.claimed_by = ANY (%(workers)s)
    ORDER BY job.id
    FOR UPDATE
), {rescue_of_lost}

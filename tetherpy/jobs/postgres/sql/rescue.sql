-- Chosen under the locks of both rows: a job that somebody else took back and a living worker claimed is left to it.
SELECT tetherpy_take_back_jobs(ARRAY(
    SELECT job.id FROM procrastinate_jobs AS job
    JOIN tetherpy_job_records AS record ON record.job_id = job.id
    WHERE job.status = 'doing' AND record.claimed_by = ANY (%(workers)s)
    ORDER BY job.id
    FOR UPDATE
), %(word)s, %(now)s)

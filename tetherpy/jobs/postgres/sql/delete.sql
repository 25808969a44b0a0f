-- A job that changed since it was chosen is kept: it may have been retried or claimed.
DELETE FROM procrastinate_jobs AS job
USING tetherpy_job_records AS record
WHERE job.id = ANY (%(ids)s) AND record.job_id = job.id AND job.status <> 'doing'
    AND (%(status)s::text IS NULL OR tetherpy_status(job.status) = %(status)s)
    AND (%(before)s::timestamptz IS NULL OR record.updated_at <= %(before)s)
RETURNING job.id

UPDATE tetherpy_job_records SET lease_expires_at = %(lease)s
WHERE claimed_by = %(id)s AND job_id IN (SELECT id FROM procrastinate_jobs WHERE status = 'doing')

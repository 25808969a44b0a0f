SELECT logs FROM tetherpy_job_records WHERE job_id = %(id)s AND claimed_by IS NOT NULL

SELECT procrastinate_cancel_job_v1(%(id)s, true, false)

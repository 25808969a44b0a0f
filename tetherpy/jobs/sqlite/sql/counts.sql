SELECT status, jobs, revision FROM background_service_job_counts

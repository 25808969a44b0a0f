SELECT sum(moves) FROM tetherpy_job_changes

SELECT status, sum(jobs)::bigint, sum(moves)::bigint FROM tetherpy_job_changes GROUP BY status

SELECT min(run_at) FROM (
    SELECT min(run_at) AS run_at FROM background_service_jobs INDEXED BY background_service_jobs_ready
    WHERE status = 'PENDING' AND due = 1 AND unhandled = 0
    UNION ALL
    SELECT min(run_at) FROM background_service_jobs INDEXED BY background_service_jobs_unhandled
    WHERE status = 'PENDING' AND due = 1 AND unhandled = 1
)

-- One index in the order of claims over all queues, and one for workers that name theirs.
DROP INDEX background_service_jobs_ready;

-- 1 while every worker that met the job had no handler for its key: claims walk past it no more, and a worker that has
-- a handler for the key finds it in an index by key.
ALTER TABLE background_service_jobs ADD COLUMN unhandled INTEGER NOT NULL DEFAULT 0;

CREATE INDEX background_service_jobs_ready
    ON background_service_jobs (priority DESC, run_at, id)
    WHERE status = 'PENDING' AND due = 1 AND unhandled = 0;

CREATE INDEX background_service_jobs_ready_in_queue
    ON background_service_jobs (queue, priority DESC, run_at, id)
    WHERE status = 'PENDING' AND due = 1 AND unhandled = 0;

CREATE INDEX background_service_jobs_unhandled
    ON background_service_jobs (job_key, priority DESC, run_at, id)
    WHERE status = 'PENDING' AND due = 1 AND unhandled = 1;

CREATE INDEX background_service_jobs_unhandled_in_queue
    ON background_service_jobs (job_key, queue, priority DESC, run_at, id)
    WHERE status = 'PENDING' AND due = 1 AND unhandled = 1;

-- The status is in it for lists by key and status; lists by key alone merge the statuses.
DROP INDEX background_service_jobs_key;
CREATE INDEX background_service_jobs_key ON background_service_jobs (job_key, status, id);

-- The job keys that a worker has handlers for, as a JSON array; NULL if it takes every key.
ALTER TABLE background_service_workers ADD COLUMN job_keys TEXT;

-- lease_expires_at and due are left out: a heartbeat does not concern those who look at jobs.
DROP TRIGGER background_service_jobs_updated;
CREATE TRIGGER background_service_jobs_updated
AFTER UPDATE OF job_key, payload, status, attempts, max_attempts, last_attempt_at, last_error, priority,
    created_at, updated_at, queue, run_at, timeout, unique_key, claimed_by, progress, progress_message,
    result, finished_at, cancel_requested_at, unhandled
ON background_service_jobs
BEGIN
    INSERT INTO background_service_job_counts (status, jobs, revision) VALUES (NEW.status, 1, 1)
        ON CONFLICT (status) DO UPDATE SET jobs = jobs + 1, revision = revision + 1;
    UPDATE background_service_job_counts SET jobs = jobs - 1, revision = revision + 1
        WHERE status = OLD.status;
END;

-- The original columns first, with their original names and meanings: a program that knows only these can read the
-- table and insert into it.
CREATE TABLE background_service_jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_key TEXT NOT NULL,
    payload TEXT,
    status TEXT NOT NULL,
    attempts INTEGER DEFAULT 0,
    max_attempts INTEGER DEFAULT 3,
    last_attempt_at TEXT,
    last_error TEXT,
    priority INTEGER DEFAULT 0,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    -- Claims read these three in an index, so their types are checked for every program that writes.
    queue TEXT NOT NULL DEFAULT 'default' CHECK (typeof(queue) = 'text'),
    run_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')) CHECK (typeof(run_at) = 'text'),
    -- 0 keeps a delayed job out of the index that claims read, until run_at has come.
    due INTEGER NOT NULL DEFAULT 1 CHECK (due IN (0, 1)),
    timeout REAL,
    unique_key TEXT,
    claimed_by TEXT,
    -- Counts the claims of the job; the newest one's token is the number. Attempts cannot serve as one: a retry by hand
    -- can reset them, and a run from before that must not end the run that has the same number now.
    fencing_token INTEGER NOT NULL DEFAULT 0,
    lease_expires_at TEXT,
    progress REAL,
    progress_message TEXT,
    result TEXT,
    finished_at TEXT,
    cancel_requested_at TEXT,
    meta TEXT CHECK (json_type(meta) = 'object'),
    -- 1 while no worker that met the job had a handler for its key. Claims skip it; a worker that has a handler for the
    -- key finds it in an index by key.
    unhandled INTEGER NOT NULL DEFAULT 0,
    -- The retry policy as JSON; NULL if the handler's applies.
    retry TEXT,
    version TEXT,
    -- What the running attempt has logged; the row of the attempt has it after the end.
    logs TEXT
);

-- Claims read these in order and stop at the first row they need: one over all queues, one for workers with queues.
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

CREATE INDEX background_service_jobs_delayed
    ON background_service_jobs (run_at)
    WHERE status = 'PENDING' AND due = 0;

CREATE UNIQUE INDEX background_service_jobs_unique
    ON background_service_jobs (unique_key)
    WHERE unique_key IS NOT NULL AND status IN ('PENDING', 'RUNNING');

CREATE INDEX background_service_jobs_unique_history
    ON background_service_jobs (unique_key, id)
    WHERE unique_key IS NOT NULL;

CREATE INDEX background_service_jobs_status ON background_service_jobs (status, id);

-- Includes the status for lists by key and status; lists by key alone merge the statuses.
CREATE INDEX background_service_jobs_key ON background_service_jobs (job_key, status, id);

CREATE INDEX background_service_jobs_finished
    ON background_service_jobs (finished_at)
    WHERE finished_at IS NOT NULL;

CREATE TABLE background_service_job_attempts (
    id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    worker TEXT,
    started_at TEXT,
    finished_at TEXT NOT NULL,
    outcome TEXT NOT NULL,
    error TEXT,
    traceback TEXT,
    logs TEXT
);

CREATE INDEX background_service_job_attempts_job ON background_service_job_attempts (job_id, id);

CREATE TABLE background_service_workers (
    id TEXT PRIMARY KEY,
    pid INTEGER NOT NULL,
    host TEXT NOT NULL,
    started_at TEXT NOT NULL,
    heartbeat_at TEXT NOT NULL,
    notification_title TEXT NOT NULL DEFAULT '',
    notification_content TEXT NOT NULL DEFAULT '',
    -- The job keys that the worker has handlers for, as a JSON array; NULL if it takes every key.
    job_keys TEXT
);

CREATE TABLE background_service_ticks (
    name TEXT NOT NULL,
    tick TEXT NOT NULL,
    job_id INTEGER NOT NULL,
    PRIMARY KEY (name, tick)
) WITHOUT ROWID;

-- One row per status: how many jobs have it, and a number that moves whenever one of them does.
-- Triggers update it, so it is right for every program that writes.
CREATE TABLE background_service_job_counts (
    status TEXT PRIMARY KEY,
    jobs INTEGER NOT NULL,
    revision INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TRIGGER background_service_jobs_inserted AFTER INSERT ON background_service_jobs
BEGIN
    INSERT INTO background_service_job_counts (status, jobs, revision) VALUES (NEW.status, 1, 1)
        ON CONFLICT (status) DO UPDATE SET jobs = jobs + 1, revision = revision + 1;
END;

-- Without lease_expires_at and due: a heartbeat changes nothing that a view of jobs shows.
CREATE TRIGGER background_service_jobs_updated
AFTER UPDATE OF job_key, payload, status, attempts, max_attempts, last_attempt_at, last_error, priority,
    created_at, updated_at, queue, run_at, timeout, unique_key, claimed_by, progress, progress_message,
    result, finished_at, cancel_requested_at, meta, unhandled
ON background_service_jobs
BEGIN
    INSERT INTO background_service_job_counts (status, jobs, revision) VALUES (NEW.status, 1, 1)
        ON CONFLICT (status) DO UPDATE SET jobs = jobs + 1, revision = revision + 1;
    UPDATE background_service_job_counts SET jobs = jobs - 1, revision = revision + 1
        WHERE status = OLD.status;
END;

CREATE TRIGGER background_service_jobs_deleted AFTER DELETE ON background_service_jobs
BEGIN
    UPDATE background_service_job_counts SET jobs = jobs - 1, revision = revision + 1
        WHERE status = OLD.status;
    DELETE FROM background_service_job_attempts WHERE job_id = OLD.id;
END;

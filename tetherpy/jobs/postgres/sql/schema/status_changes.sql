-- The changes of each statement: jobs entering and leaving a status, and the number of moves. Their sums are the
-- counts and the revisions. One row per status would be shorter, and every transaction would wait for every other.
CREATE TABLE tetherpy_job_changes (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    status text NOT NULL,
    jobs bigint NOT NULL,
    moves bigint NOT NULL
);

-- Of all transactions of a server that notify, one commits at a time. So a process can defer its notification until
-- after the commit: it sets "tetherpy.notify" to "later" in its transaction, and "owed" says that one is due.
CREATE FUNCTION tetherpy_notify() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_setting('tetherpy.notify', true) IN ('later', 'owed') THEN
        PERFORM set_config('tetherpy.notify', 'owed', true);
    ELSE
        PERFORM pg_notify('tetherpy_jobs', '');
    END IF;
END;
$$;

-- Changes are summed up now and then by a statement that makes one, since no worker may be running. Rows that another
-- transaction is summing up are skipped. At stricter isolation levels that could fail, so nothing is summed up.
CREATE FUNCTION tetherpy_changed() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    -- A prime, so that statements that write two or three rows each hit it as well.
    IF lastval() % 251 = 0 AND current_setting('transaction_isolation') = 'read committed' THEN
        WITH summed AS (
            DELETE FROM tetherpy_job_changes
            WHERE id IN (SELECT id FROM tetherpy_job_changes ORDER BY id LIMIT 10000 FOR UPDATE SKIP LOCKED)
            RETURNING status, jobs, moves
        )
        INSERT INTO tetherpy_job_changes (status, jobs, moves)
        SELECT status, sum(jobs), sum(moves) FROM summed GROUP BY status;
    END IF;
    PERFORM tetherpy_notify();
END;
$$;

CREATE FUNCTION tetherpy_jobs_inserted() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO tetherpy_job_changes (status, jobs, moves)
    SELECT tetherpy_status(status), count(*), count(*) FROM entered GROUP BY 1;
    IF FOUND THEN
        PERFORM tetherpy_changed();
    END IF;
    RETURN NULL;
END;
$$;

CREATE FUNCTION tetherpy_jobs_updated() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO tetherpy_job_changes (status, jobs, moves)
    SELECT tetherpy_status(status), sum(jobs), count(*)
    FROM (SELECT status, 1 AS jobs FROM entered UNION ALL SELECT status, -1 FROM departed) AS moves
    GROUP BY 1;
    IF FOUND THEN
        PERFORM tetherpy_changed();
    END IF;
    RETURN NULL;
END;
$$;

CREATE FUNCTION tetherpy_jobs_deleted() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO tetherpy_job_changes (status, jobs, moves)
    SELECT tetherpy_status(status), -count(*), count(*) FROM departed GROUP BY 1;
    IF FOUND THEN
        PERFORM tetherpy_changed();
        DELETE FROM tetherpy_job_records WHERE job_id = ANY (ARRAY(SELECT id FROM departed));
        DELETE FROM background_service_job_attempts WHERE job_id = ANY (ARRAY(SELECT id FROM departed));
    END IF;
    RETURN NULL;
END;
$$;

CREATE TRIGGER tetherpy_jobs_inserted AFTER INSERT ON procrastinate_jobs
    REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION tetherpy_jobs_inserted();
CREATE TRIGGER tetherpy_jobs_updated AFTER UPDATE ON procrastinate_jobs
    REFERENCING OLD TABLE AS departed NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION tetherpy_jobs_updated();
CREATE TRIGGER tetherpy_jobs_deleted AFTER DELETE ON procrastinate_jobs
    REFERENCING OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION tetherpy_jobs_deleted();

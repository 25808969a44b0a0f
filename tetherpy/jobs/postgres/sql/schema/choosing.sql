-- The keys of the jobs that were set aside: one step in the index per key, for any number of jobs.
CREATE FUNCTION tetherpy_unhandled_keys() RETURNS SETOF varchar
LANGUAGE sql STABLE
AS $$
    WITH RECURSIVE keys (name) AS (
        (
            SELECT task_name FROM procrastinate_jobs
            WHERE status = 'todo' AND tetherpy_due AND tetherpy_unhandled
            ORDER BY task_name, priority DESC, scheduled_at, id LIMIT 1
        )
        UNION ALL
        SELECT next.task_name
        FROM keys
        CROSS JOIN LATERAL (
            SELECT task_name FROM procrastinate_jobs
            WHERE status = 'todo' AND tetherpy_due AND tetherpy_unhandled AND task_name > keys.name
            ORDER BY task_name, priority DESC, scheduled_at, id LIMIT 1
        ) AS next
    )
    SELECT name FROM keys
$$;

-- Choose, and lock, up to "slots" jobs: higher priority first, then the due time, then id, across queues. Jobs in
-- between that cannot be claimed are marked. Rows that another transaction has locked are skipped, and "passed_over" is
-- set: if it ends without a change, no notification follows. "more" is set if there were too many jobs to mark. Of many
-- queues only those are read whose first jobs come first, and each gives only its share of the slots: a row that is
-- locked and not taken would be missing in the claims of other workers. A queue with too few jobs that are not locked
-- is left out in the next round. Without the settings, outdated statistics could make the planner sort all pending jobs.
-- Each look has an order, so that it uses the index with that order: for a bare EXISTS the planner may read all pending
-- jobs, or all records.
CREATE FUNCTION tetherpy_choose_jobs(
    slots integer, queues varchar[], keys varchar[], instant timestamptz,
    OUT chosen bigint[], OUT passed_over boolean, OUT more boolean
)
LANGUAGE plpgsql
SET enable_sort = off SET enable_incremental_sort = off SET enable_bitmapscan = off SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
    waiting varchar[];
    wanted integer;
    taken bigint[];
    refused bigint[];
    first bigint[];
    left_queues varchar[] := queues;
    near varchar[];
    shares bigint[];
    short varchar[];
    rounds integer := 0;
BEGIN
    chosen := '{}';
    passed_over := false;
    more := false;
    IF EXISTS (
        SELECT FROM (
            SELECT FROM procrastinate_jobs
            WHERE status = 'todo' AND NOT tetherpy_due AND scheduled_at <= instant
            ORDER BY scheduled_at
            LIMIT 1
        ) AS due
    ) THEN
        UPDATE procrastinate_jobs SET tetherpy_due = true
        WHERE id = ANY (ARRAY(
            SELECT id FROM procrastinate_jobs
            WHERE status = 'todo' AND NOT tetherpy_due AND scheduled_at <= instant
            ORDER BY scheduled_at
            LIMIT 10000
            FOR UPDATE SKIP LOCKED
        ));
    END IF;
    waiting := ARRAY(SELECT name FROM tetherpy_unhandled_keys() AS name WHERE keys IS NULL OR name = ANY (keys));
    LOOP
        wanted := slots - cardinality(chosen);
        EXIT WHEN wanted <= 0;
        IF queues IS NULL THEN
            SELECT coalesce(array_agg(place.id ORDER BY place.number) FILTER (WHERE place.fits), '{}'),
                coalesce(array_agg(place.id) FILTER (WHERE NOT place.fits), '{}')
            INTO taken, refused
            FROM (
                SELECT found.id, found.fits, row_number() OVER () AS number
                FROM (
                    SELECT * FROM (
                        SELECT job.id, job.priority, job.scheduled_at,
                            coalesce(job.scheduled_at <= instant, true) AND (keys IS NULL OR job.task_name = ANY (keys))
                            AND (SELECT true FROM tetherpy_job_records AS record WHERE record.job_id = job.id)
                            IS TRUE AS fits
                        FROM procrastinate_jobs AS job
                        WHERE job.status = 'todo' AND job.tetherpy_due AND NOT job.tetherpy_unhandled
                            AND job.id <> ALL (chosen)
                        ORDER BY job.priority DESC, job.scheduled_at, job.id
                        LIMIT wanted
                        FOR UPDATE OF job SKIP LOCKED
                    ) AS ready
                    UNION ALL
                    SELECT aside.* FROM unnest(waiting) AS key (name)
                    CROSS JOIN LATERAL (
                        SELECT job.id, job.priority, job.scheduled_at, coalesce(job.scheduled_at <= instant, true)
                        FROM procrastinate_jobs AS job
                        WHERE job.status = 'todo' AND job.tetherpy_due AND job.tetherpy_unhandled
                            AND job.task_name = key.name AND job.id <> ALL (chosen)
                            AND (SELECT true FROM tetherpy_job_records AS record WHERE record.job_id = job.id)
                        ORDER BY job.priority DESC, job.scheduled_at, job.id
                        LIMIT wanted
                        FOR UPDATE OF job SKIP LOCKED
                    ) AS aside
                ) AS found
                ORDER BY found.priority DESC, found.scheduled_at, found.id
                LIMIT wanted
            ) AS place;
        ELSE
            near := left_queues;
            shares := ARRAY[wanted];
            IF cardinality(left_queues) > 1 THEN
                SELECT coalesce(array_agg(share.name), '{}'), array_agg(share.jobs) INTO near, shares
                FROM (
                    SELECT place.name, count(*) AS jobs
                    FROM (
                        SELECT head.name
                        FROM (
                            SELECT queue.name FROM unnest(left_queues) AS queue (name)
                            CROSS JOIN LATERAL (
                                SELECT job.priority, job.scheduled_at, job.id
                                FROM procrastinate_jobs AS job
                                WHERE job.status = 'todo' AND job.tetherpy_due AND NOT job.tetherpy_unhandled
                                    AND job.queue_name = queue.name AND job.id <> ALL (chosen)
                                ORDER BY job.priority DESC, job.scheduled_at, job.id
                                LIMIT 1
                            ) AS best
                            ORDER BY best.priority DESC, best.scheduled_at, best.id
                            LIMIT wanted
                        ) AS head
                        CROSS JOIN LATERAL (
                            SELECT job.priority, job.scheduled_at, job.id
                            FROM procrastinate_jobs AS job
                            WHERE job.status = 'todo' AND job.tetherpy_due AND NOT job.tetherpy_unhandled
                                AND job.queue_name = head.name AND job.id <> ALL (chosen)
                            ORDER BY job.priority DESC, job.scheduled_at, job.id
                            LIMIT wanted
                        ) AS next
                        ORDER BY next.priority DESC, next.scheduled_at, next.id
                        LIMIT wanted
                    ) AS place
                    GROUP BY place.name
                ) AS share;
            END IF;
            SELECT coalesce(array_agg(place.id ORDER BY place.number) FILTER (WHERE place.fits), '{}'),
                coalesce(array_agg(place.id) FILTER (WHERE NOT place.fits), '{}')
            INTO taken, refused
            FROM (
                SELECT found.id, found.fits, row_number() OVER () AS number
                FROM (
                    SELECT ready.* FROM unnest(near, shares) AS queue (name, jobs)
                    CROSS JOIN LATERAL (
                        SELECT job.id, job.priority, job.scheduled_at,
                            coalesce(job.scheduled_at <= instant, true) AND (keys IS NULL OR job.task_name = ANY (keys))
                            AND (SELECT true FROM tetherpy_job_records AS record WHERE record.job_id = job.id)
                            IS TRUE AS fits
                        FROM procrastinate_jobs AS job
                        WHERE job.status = 'todo' AND job.tetherpy_due AND NOT job.tetherpy_unhandled
                            AND job.queue_name = queue.name AND job.id <> ALL (chosen)
                        ORDER BY job.priority DESC, job.scheduled_at, job.id
                        LIMIT queue.jobs
                        FOR UPDATE OF job SKIP LOCKED
                    ) AS ready
                    UNION ALL
                    SELECT aside.*
                    FROM (
                        SELECT queue.name AS queue, key.name AS key
                        FROM unnest(waiting) AS key (name), unnest(queues) AS queue (name)
                        CROSS JOIN LATERAL (
                            SELECT job.priority, job.scheduled_at, job.id
                            FROM procrastinate_jobs AS job
                            WHERE job.status = 'todo' AND job.tetherpy_due AND job.tetherpy_unhandled
                                AND job.task_name = key.name AND job.queue_name = queue.name AND job.id <> ALL (chosen)
                            ORDER BY job.priority DESC, job.scheduled_at, job.id
                            LIMIT 1
                        ) AS best
                        ORDER BY best.priority DESC, best.scheduled_at, best.id
                        LIMIT wanted
                    ) AS head
                    CROSS JOIN LATERAL (
                        SELECT job.id, job.priority, job.scheduled_at, coalesce(job.scheduled_at <= instant, true)
                        FROM procrastinate_jobs AS job
                        WHERE job.status = 'todo' AND job.tetherpy_due AND job.tetherpy_unhandled
                            AND job.task_name = head.key AND job.queue_name = head.queue AND job.id <> ALL (chosen)
                            AND (SELECT true FROM tetherpy_job_records AS record WHERE record.job_id = job.id)
                        ORDER BY job.priority DESC, job.scheduled_at, job.id
                        LIMIT wanted
                        FOR UPDATE OF job SKIP LOCKED
                    ) AS aside
                ) AS found
                ORDER BY found.priority DESC, found.scheduled_at, found.id
                LIMIT wanted
            ) AS place;
        END IF;
        chosen := chosen || taken;
        IF refused = '{}' THEN
            EXIT WHEN queues IS NULL OR cardinality(chosen) >= slots;
            short := ARRAY(
                SELECT queue.name FROM unnest(near, shares) AS queue (name, jobs)
                WHERE queue.jobs > (
                    SELECT count(*) FROM procrastinate_jobs WHERE id = ANY (taken) AND queue_name = queue.name
                )
            );
            left_queues := ARRAY(SELECT name FROM unnest(left_queues) AS queue (name) WHERE name <> ALL (short));
            EXIT WHEN short = '{}' OR left_queues = '{}' OR rounds > 10;
        END IF;
        rounds := rounds + 1;
        CONTINUE WHEN refused = '{}';
        IF rounds > 10 THEN
            more := true;
            EXIT;
        END IF;
        -- More of them usually follow: the first thousand are marked at once.
        IF queues IS NULL THEN
            first := ARRAY(
                SELECT id FROM procrastinate_jobs
                WHERE status = 'todo' AND tetherpy_due AND NOT tetherpy_unhandled
                ORDER BY priority DESC, scheduled_at, id
                LIMIT 1000
            );
        ELSE
            first := ARRAY(
                SELECT ready.id FROM unnest(near) AS queue (name)
                CROSS JOIN LATERAL (
                    SELECT id FROM procrastinate_jobs
                    WHERE status = 'todo' AND tetherpy_due AND NOT tetherpy_unhandled AND queue_name = queue.name
                    ORDER BY priority DESC, scheduled_at, id
                    LIMIT 1000
                ) AS ready
            );
        END IF;
        UPDATE procrastinate_jobs AS job
        SET tetherpy_due = coalesce(job.scheduled_at <= instant, true), tetherpy_unhandled = marked.unhandled
        FROM (
            SELECT found.id, (keys IS NOT NULL AND found.task_name <> ALL (keys)) OR (
                SELECT true FROM tetherpy_job_records AS record WHERE record.job_id = found.id
            ) IS NULL AS unhandled
            FROM procrastinate_jobs AS found
            WHERE found.id = ANY (refused || first) AND found.status = 'todo' AND found.id <> ALL (chosen) AND (
                found.scheduled_at > instant OR (keys IS NOT NULL AND found.task_name <> ALL (keys))
                OR (SELECT true FROM tetherpy_job_records AS record WHERE record.job_id = found.id) IS NULL
            )
            FOR UPDATE OF found SKIP LOCKED
        ) AS marked
        WHERE job.id = marked.id;
    END LOOP;
    IF cardinality(chosen) < slots AND NOT more THEN
        passed_over := EXISTS (
            SELECT FROM (
                SELECT FROM procrastinate_jobs AS job
                WHERE queues IS NULL AND job.status = 'todo' AND job.tetherpy_due AND NOT job.tetherpy_unhandled
                    AND job.id <> ALL (chosen)
                ORDER BY job.priority DESC, job.scheduled_at, job.id
                LIMIT 1
            ) AS locked
        ) OR EXISTS (
            SELECT FROM unnest(queues) AS queue (name)
            CROSS JOIN LATERAL (
                SELECT FROM procrastinate_jobs AS job
                WHERE job.status = 'todo' AND job.tetherpy_due AND NOT job.tetherpy_unhandled
                    AND job.queue_name = queue.name AND job.id <> ALL (chosen)
                ORDER BY job.priority DESC, job.scheduled_at, job.id
                LIMIT 1
            ) AS locked
        ) OR EXISTS (
            SELECT FROM unnest(waiting) AS key (name)
            CROSS JOIN LATERAL (
                SELECT FROM procrastinate_jobs AS job
                WHERE job.status = 'todo' AND job.tetherpy_due AND job.tetherpy_unhandled
                    AND job.task_name = key.name AND job.id <> ALL (chosen)
                    AND (queues IS NULL OR job.queue_name = ANY (queues))
                    AND (SELECT true FROM tetherpy_job_records AS record WHERE record.job_id = job.id)
                ORDER BY job.priority DESC, job.scheduled_at, job.id
                LIMIT 1
            ) AS locked
        );
    END IF;
END;
$$;

-- Rows that another transaction is summing up are skipped; nothing waits.
WITH summed AS (
    DELETE FROM tetherpy_job_changes
    WHERE id IN (SELECT id FROM tetherpy_job_changes ORDER BY id LIMIT 10000 FOR UPDATE SKIP LOCKED)
    RETURNING status, jobs, moves
)
INSERT INTO tetherpy_job_changes (status, jobs, moves)
SELECT status, sum(jobs), sum(moves) FROM summed GROUP BY status

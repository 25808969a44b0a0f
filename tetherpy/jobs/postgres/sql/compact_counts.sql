-- Rows that another transaction is summing up are left to it; nobody waits.
WITH summed AS (
    DELETE FROM tetherpy_job_changes
    WHERE id IN (SELECT id FROM tetherpy_job_changes ORDER BY id LIMIT 10000 FOR UPDATE SKIP LOCKED)
    RETURNING status, jobs, moves
)
INSERT INTO tetherpy_job_changes (status, jobs, moves)
SELECT status, sum(jobs), sum(moves) FROM summed GROUP BY status

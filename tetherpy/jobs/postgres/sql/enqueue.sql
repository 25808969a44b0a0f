-- OFFSET 0 keeps the function in the subquery, so that it is called once, and after set_config.
SELECT (stored).stored_id, (stored).is_new
FROM (
    SELECT tetherpy_store_jobs(%(jobs)s::text::json, %(now)s) AS stored
    FROM set_config('tetherpy.notify', %(notify)s, true) OFFSET 0
) AS called

WITH newest AS (
    SELECT max(defer_timestamp) AS tick FROM procrastinate_periodic_defers
    WHERE task_name = %(name)s AND periodic_id = %(name)s
), first AS (
    INSERT INTO procrastinate_periodic_defers (task_name, periodic_id, defer_timestamp)
    SELECT %(name)s, %(name)s, %(first)s FROM newest WHERE tick IS NULL
    ON CONFLICT DO NOTHING
)
SELECT coalesce(tick, %(first)s) FROM newest

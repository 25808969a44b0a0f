-- The claim itself: schema/choosing.sql and schema/claiming.sql
SELECT rejected, postponed, next_due, current_setting('tetherpy.notify') = 'owed', claim, {columns_of_job}
FROM tetherpy_ack_and_fetch(
    %(worker)s, %(known)s::bigint[], %(release)s::text::json, %(acks)s::text::json, %(slots)s, %(queues)s::varchar[],
    %(keys)s::varchar[], %(now)s, %(lease_end)s
)

SELECT rejected, postponed, next_due, current_setting('tetherpy.notify') = 'owed', claim, (job).*
FROM tetherpy_exchange(
    %(worker)s, %(heard_of)s::bigint[], %(acks)s::text::json, %(slots)s, %(queues)s::varchar[], %(now)s,
    %(lease_end)s, %(keys)s::varchar[]
)

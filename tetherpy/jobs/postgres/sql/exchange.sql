SELECT rejected, next_due, (job).*
FROM tetherpy_exchange(
    %(worker)s, %(settlements)s::text::json, %(unheard_but)s::bigint[], %(slots)s, %(queues)s::varchar[], %(now)s,
    %(lease_end)s
)

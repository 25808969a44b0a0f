SELECT tetherpy_defer_tick(%(name)s, %(tick)s, %(job)s::text::json, %(now)s)

SELECT tetherpy_settle_jobs(%(settlements)s::text::json, %(now)s)

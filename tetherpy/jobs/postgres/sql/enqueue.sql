SELECT tetherpy_defer_jobs(%(jobs)s::text::json, %(now)s)

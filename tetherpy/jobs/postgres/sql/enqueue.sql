SELECT tetherpy_defer_jobs(%(jobs)s::text::json, %(now)s) FROM set_config('tetherpy.notify', %(notify)s, true)

SELECT tetherpy_defer_unique_job(%(job)s::text::json, %(now)s) FROM set_config('tetherpy.notify', %(notify)s, true)

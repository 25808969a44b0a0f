SELECT tetherpy_settle_jobs(%(settlements)s::text::json, %(now)s) FROM set_config('tetherpy.notify', %(notify)s, true)

SELECT tetherpy_settle_jobs(%(acks)s::text::json, %(now)s) FROM set_config('tetherpy.notify', %(notify)s, true)

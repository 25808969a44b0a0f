SELECT tetherpy_acknowledge(%(acks)s::text::json, %(now)s) FROM set_config('tetherpy.notify', %(notify)s, true)

SELECT tetherpy_fail_unhandled(%(key)s, %(error)s, %(now)s, %(limit)s)

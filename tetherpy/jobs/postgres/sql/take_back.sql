SELECT tetherpy_take_back_jobs(%(ids)s, %(word)s, %(now)s)

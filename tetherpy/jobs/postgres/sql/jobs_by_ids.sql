SELECT {columns} FROM background_service_jobs WHERE id = ANY (%(ids)s)

SELECT {columns} FROM background_service_jobs WHERE id = %(id)s FOR UPDATE

SELECT {columns} FROM background_service_jobs WHERE id IN (SELECT value FROM json_each(?))

SELECT logs FROM background_service_jobs WHERE id = ? AND status = 'RUNNING'

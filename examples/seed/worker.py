"""The initialization of the worker process: open a database connection, register the job handlers."""

import os

from tetherpy import Migration, ServiceInstance, open_database

from .complex_job import KEY, complex_data_processing_job_handler
from .dummy_job import dummy_job_handler

JOB_RESULTS = Migration(
    1,
    "job results",
    "CREATE TABLE job_results (job_key TEXT NOT NULL, query_key TEXT NOT NULL, result TEXT NOT NULL, "
    "processed_at TEXT NOT NULL)",
)


async def my_app_background_initialization(service: ServiceInstance) -> None:
    """Set up this process. If it raises, the app's ``start()`` raises with this traceback."""
    address = os.environ.get("TETHERPY_DATABASE") or "app.db"
    db = await service.enter(open_database(address, migrations=[JOB_RESULTS]))
    service.set_background_db_connection(db)
    service.set_as_foreground_service()
    service.register_job_handler("dummyTask", dummy_job_handler)
    service.register_job_handler(KEY, complex_data_processing_job_handler)
    service.register_job_handler("generateReport", dummy_job_handler)

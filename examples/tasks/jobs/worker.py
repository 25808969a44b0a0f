"""Run one production worker: ``tetherpy worker --callback examples.tasks.jobs.worker:initialize --database app.db``."""

from tetherpy import ServiceInstance

from . import cancel, define, logs, progress, resources, result, retry, schedule, transaction, unique


def initialize(service: ServiceInstance) -> None:
    logs.initialize(service)
    schedule.initialize(service)
    service.register_jobs(cancel, define, logs, progress, resources, result, retry, schedule, transaction, unique)

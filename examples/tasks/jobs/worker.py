"""The jobs of one production worker, which ``tetherpy worker`` runs."""

from tetherpy import ServiceInstance

from . import cancel, define, logs, progress, resources, result, retry, transaction, unique


def initialize(service: ServiceInstance) -> None:
    service.register_jobs(cancel, define, logs, progress, resources, result, retry, transaction, unique)

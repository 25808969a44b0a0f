"""tetherpy's worker of the benchmark: one handler that does nothing."""


async def noop(service, payload, db):
    return None


def initialize(service):
    service.register_job_handler("noop", noop)

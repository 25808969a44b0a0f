"""A worker whose handler registers another handler and a periodic job, from a thread."""

from datetime import timedelta


def initialize(service):
    service.register_job_handler("learn", learn)


def learn(service, payload, db):
    service.register_job_handler("learned", learned)
    service.register_periodic_job("often", every=timedelta(seconds=1), job_key="learned")


async def learned(service, payload, db):
    return "learned"

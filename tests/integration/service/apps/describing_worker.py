"""A worker with handlers of many payload types, and periodic jobs."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, TypedDict

import attrs
import msgspec


class Greeting(TypedDict):
    message: str


@attrs.frozen
class Report:
    title: str
    pages: Annotated[int, msgspec.Meta(ge=1)] = 1


@dataclass
class Mail:
    to: str
    copies: list[str]


async def initialize(service):
    service.register_job_handler("greet", greet)
    service.register_job_handler("report", report, timeout=60)
    service.register_job_handler("mail", mail)
    service.register_job_handler("any", anything)
    service.register_periodic_job("nightly", cron="0 3 * * *", time_zone="Europe/Berlin", job_key="report")
    service.register_periodic_job("often", every=timedelta(minutes=5), job_key="greet", payload={"message": "hi"})


async def greet(service, payload: Greeting | None, db):
    """Say hello.

    At length.
    """


async def report(service, payload: Report, db):
    pass


async def mail(service, payload: Mail, db):
    pass


async def anything(service, payload, db):
    pass

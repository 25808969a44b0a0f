"""Uses that a type checker must refuse: every line that ends in ``# wrong`` is an error, and no other line is.

No module imports this file; tests/unit/test_types.py runs type checkers on it.
"""

# ruff: noqa: B018, F821

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import msgspec

from tests.support.mail import Mail, Receipt
from tetherpy import (
    BackgroundJobManager,
    BackgroundService,
    JobDefinition,
    JobId,
    JobProvider,
    Provider,
    Ref,
    ServiceInstance,
    SqlDatabase,
    SyncDatabase,
    SyncServiceInstance,
    background_job,
)
from tetherpy.testing import InlineJobs


class Note(TypedDict):
    text: str


@dataclass
class Point:
    x: int


class Pixel(msgspec.Struct):
    x: int


send_mail = JobDefinition("send_mail", payload=Mail, result=Receipt)
take_note = JobDefinition("take_note", payload=Note)
point = JobDefinition("point", payload=Point)
pixel = JobDefinition("pixel", payload=Pixel)
sweep = JobDefinition("sweep")

# -- declarations ----------------------------------------------------------------------------------

JobDefinition(3)  # wrong
JobDefinition("a", Mail)  # wrong
JobDefinition("a", payload=Mail("ada"))  # wrong
JobDefinition("a", result=Receipt(1))  # wrong
JobDefinition("a", max_attemps=3)  # wrong
JobDefinition("a", queue=3)  # wrong
JobDefinition("a", retry=3)  # wrong
send_mail.job_key = "other"  # wrong


@send_mail.handler  # wrong
async def other_payload(service: ServiceInstance, payload: str, db: SqlDatabase) -> Receipt:
    return Receipt(1)


@send_mail.handler  # wrong
async def other_result(service: ServiceInstance, payload: Mail, db: SqlDatabase) -> str:
    return ""


@send_mail.handler  # wrong
def other_result_in_a_thread(service: SyncServiceInstance, payload: Mail, db: SyncDatabase) -> str:
    return ""


@send_mail.handler  # wrong
async def no_result(service: ServiceInstance, payload: Mail, db: SqlDatabase) -> None: ...


@send_mail.handler  # wrong
async def two_parameters(service: ServiceInstance, payload: Mail) -> Receipt:
    return Receipt(1)


@send_mail.handler  # wrong
async def four_parameters(service: ServiceInstance, payload: Mail, db: SqlDatabase, more: int) -> Receipt:
    return Receipt(1)


@sweep.handler  # wrong
async def a_payload(service: ServiceInstance, payload: Mail, db: SqlDatabase) -> None: ...


@send_mail.handler  # wrong
async def other_database(service: ServiceInstance, payload: Mail, db: str) -> Receipt:
    return Receipt(1)


@background_job("resize")  # wrong
def manager_for_database(service: SyncServiceInstance, payload: Mail, db: BackgroundJobManager) -> Receipt:
    return Receipt(1)


@background_job("resize")  # wrong
def asynchronous_database(service: SyncServiceInstance, payload: Mail, db: SqlDatabase) -> Receipt:
    return Receipt(1)


@send_mail.handler  # wrong
async def synchronous_database(service: ServiceInstance, payload: Mail, db: SyncDatabase) -> Receipt:
    return Receipt(1)


@background_job("resize")  # wrong
async def resize(service: ServiceInstance, payload: Mail) -> Receipt:
    return Receipt(1)


@background_job("resize", timout=30)  # wrong
async def misspelt_option(service: ServiceInstance, payload: Mail, db: SqlDatabase) -> Receipt:
    return Receipt(1)


def initialize(service: ServiceInstance) -> None:
    service.register_jobs("send_mail")  # wrong
    service.register_jobs(initialize)  # wrong
    service.register_job_handler("a", initialize)  # wrong
    service.register_job_handler("a", lambda service, payload: None)  # wrong
    service.register_periodic_job("a", send_mail, "ada", every=60)  # wrong
    service.register_periodic_job("a", send_mail, every=60)  # wrong
    service.register_periodic_job("a", sweep, 3, every=60)  # wrong
    service.register_periodic_job("a", sweep, evry=60)  # wrong


# -- use -------------------------------------------------------------------------------------------


async def enqueue(manager: BackgroundJobManager, service: BackgroundService) -> None:
    await manager.enqueue(send_mial, Mail("ada"))  # wrong
    await manager.enqueue(send_mail, "ada")  # wrong
    await manager.enqueue(send_mail, {"to": "ada"})  # wrong
    await manager.enqueue(take_note, {"txt": "a"})  # wrong
    await manager.enqueue(take_note, {"text": 3})  # wrong
    await manager.enqueue(take_note, {"text": "a", "more": "b"})  # wrong
    await manager.enqueue(take_note, {})  # wrong
    await manager.enqueue(take_note, {"text": "a"}, priorty=3)  # wrong
    await manager.enqueue(take_note, Mail("ada"))  # wrong
    other_note: JobId[str] = await manager.enqueue(take_note, {"text": "a"})  # wrong
    await service.job(take_note, {"txt": "a"})  # wrong
    await take_note.enqueue(manager, {"txt": "a"})  # wrong
    take_note.new({"txt": "a"})  # wrong
    await manager.enqueue(point, {"x": 1})  # wrong
    await manager.enqueue(point, Pixel(1))  # wrong
    await manager.enqueue(pixel, {"x": 1})  # wrong
    await manager.enqueue(pixel, Point(1))  # wrong
    await manager.enqueue(send_mail, None)  # wrong
    print(other_note)
    await manager.enqueue(send_mail)  # wrong
    await manager.enqueue(sweep, 3)  # wrong
    await manager.enqueue(send_mail, Mail("ada"), priorty=3)  # wrong
    await manager.enqueue(send_mail, Mail("ada"), priority="3")  # wrong
    await service.job(send_mail, "ada")  # wrong
    await service.job(sweep, 3)  # wrong
    await send_mail.enqueue(manager, "ada")  # wrong
    send_mail.new("ada")  # wrong
    send_mail.new()  # wrong
    send_mail.new(Mail("ada"), transaction=None)  # wrong


async def result(manager: BackgroundJobManager) -> None:
    job_id = await manager.enqueue(send_mail, Mail("ada"))
    job_id.isnew  # wrong
    other: JobId[str] = job_id  # wrong
    text: str = await manager.result(job_id)  # wrong
    direct: str = await manager.result(await manager.enqueue(send_mail, Mail("ada")))  # wrong
    (await manager.result(job_id)).nummer  # wrong
    untyped: str = await manager.result(3)  # wrong
    ids: list[JobId[str]] = await manager.enqueue_many([send_mail.new(Mail("ada"))])  # wrong
    print(other, text, direct, untyped, ids)


# -- providers and tests ---------------------------------------------------------------------------


@Provider
def manager_provider(ref: Ref) -> BackgroundJobManager:
    raise NotImplementedError


JobProvider(send_mail, payload="ada", manager=manager_provider)  # wrong
JobProvider(send_mail, manager=manager_provider)  # wrong
JobProvider(send_mail, payload=lambda ref: "ada", manager=manager_provider)  # wrong
JobProvider(send_mail, payload=Mail("ada"), manager=manager_provider, prioriti=3)  # wrong
other_result_of_a_provider: JobProvider[str] = JobProvider(sweep, manager=manager_provider)  # wrong


async def inline(jobs: InlineJobs) -> None:
    jobs.register_jobs(deliver_mail)  # wrong
    await jobs.enqueue(send_mail, "ada")  # wrong
    await jobs.enqueue(take_note, {"txt": "a"})  # wrong
    jobs.enqueued(send_mail).payloads[0].address  # wrong
    texts: list[str | None] = jobs.enqueued(send_mail).results  # wrong
    print(texts)

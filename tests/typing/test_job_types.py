"""What type checkers infer for job definitions; checked by tests/unit/test_types.py.

Never run: a wrong inference is an error of mypy --strict, pyright strict or pyrefly strict.
"""
# pyright: strict

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict, assert_type

import attrs
import msgspec

from tests.support.mail import Mail, Receipt
from tetherpy import (
    AsyncState,
    BackgroundJobManager,
    BackgroundService,
    Database,
    JobDefinition,
    JobId,
    JobProvider,
    NewJob,
    Provider,
    ProviderContainer,
    Ref,
    ServiceInstance,
    SqlDatabase,
    SyncDatabase,
    SyncJobManager,
    SyncServiceInstance,
    background_job,
)
from tetherpy.database import PostgresDatabase
from tetherpy.testing import InlineJobs


@attrs.frozen
class Letter(Mail):
    stamp: str = ""


class Note(TypedDict):
    text: str
    tag: NotRequired[str]


@dataclass
class Point:
    x: int


class Pixel(msgspec.Struct):
    x: int


# -- declarations ----------------------------------------------------------------------------------

send_mail = JobDefinition("send_mail", payload=Mail, result=Receipt, queue="mail", max_attempts=5, timeout=60)
sweep = JobDefinition("sweep")
count = JobDefinition("count", result=list[int])
take_note = JobDefinition("take_note", payload=Note)
take_notes = JobDefinition("take_notes", payload=list[Note], result=int)
point = JobDefinition("point", payload=Point)
pixel = JobDefinition("pixel", payload=Pixel)

assert_type(send_mail, JobDefinition[Mail, Receipt])
assert_type(sweep, JobDefinition[None, None])
assert_type(count, JobDefinition[None, list[int]])
assert_type(take_note, JobDefinition[Note, None])


@send_mail.handler
async def deliver(service: ServiceInstance, payload: Mail, db: SqlDatabase) -> Receipt:
    return Receipt(1)


@count.handler
def count_in_a_thread(service: SyncServiceInstance, payload: None, db: SyncDatabase) -> list[int]:
    return []


@sweep.handler
async def sweep_up(service: ServiceInstance, payload: None, db: SqlDatabase) -> None: ...


@JobDefinition("sweep with any").handler
def with_any(service: Any, payload: Any, db: Any) -> None: ...


@JobDefinition("sweep with a file").handler
async def with_a_file(service: ServiceInstance, payload: object, db: Database) -> None: ...


@JobDefinition("sweep with a server").handler
async def with_a_server(service: ServiceInstance, payload: None, db: PostgresDatabase) -> None: ...


@JobDefinition("sweep in a thread").handler
def in_a_thread(service: SyncServiceInstance, payload: None, db: SyncDatabase) -> None:
    with db.transaction() as tx:
        assert_type(SyncJobManager(db).enqueue("k", transaction=tx), JobId[Any])
        assert_type(service.complete(transaction=tx), None)


@JobDefinition("sweep with objects").handler
def with_objects(service: object, payload: None, db: object) -> None: ...


@background_job("resize", timeout=30)
async def resize(service: ServiceInstance, payload: Mail, db: SqlDatabase) -> Receipt:
    return Receipt(1)


@background_job("copy", priority=3)
def copy(service: SyncServiceInstance, payload: Mail | None, db: SyncDatabase) -> Receipt | None:
    return None


@background_job("tidy")
def tidy(service: SyncServiceInstance, payload: None, db: SyncDatabase) -> None: ...


@background_job("measure")
async def measure(service: ServiceInstance, payload: Mail, db: Database) -> int:
    return 0


assert_type(resize, JobDefinition[Mail, Receipt])
assert_type(copy, JobDefinition[Mail | None, Receipt | None])
assert_type(tidy, JobDefinition[None, None])
assert_type(measure, JobDefinition[Mail, int])


def initialize(service: ServiceInstance) -> None:
    service.register_jobs(send_mail, resize)
    service.register_periodic_job("weekly", send_mail, Mail("ada@example.org"), cron="0 6 * * MON", queue="bulk")
    service.register_periodic_job("hourly", sweep, every=3600, overlap=False)
    service.register_periodic_job("daily", copy, every=86400)
    service.register_periodic_job("late", job_key="known at run time", every=60, payload={"any": "thing"})


# -- use -------------------------------------------------------------------------------------------


async def enqueue(manager: BackgroundJobManager, service: BackgroundService) -> None:
    job_id = await manager.enqueue(send_mail, Mail("ada@example.org"), delay=60)
    assert_type(job_id, JobId[Receipt])
    assert_type(job_id.is_new, bool)
    assert_type(await manager.result(job_id, timeout=10), Receipt)
    plain: int = job_id
    wider: JobId[Receipt | None] = job_id
    bare: JobId = job_id
    print(plain, wider, bare)

    assert_type(await manager.enqueue(send_mail, Letter("bob@example.org")), JobId[Receipt])
    assert_type(await manager.enqueue(sweep), JobId[None])
    assert_type(await manager.enqueue(sweep, delay=3), JobId[None])
    assert_type(await manager.result(await manager.enqueue(count)), list[int])
    assert_type(await manager.enqueue(take_note, Note(text="a")), JobId[None])
    assert_type(await manager.enqueue(take_note, {"text": "a"}), JobId[None])
    assert_type(await manager.enqueue(take_note, payload={"text": "a", "tag": "b"}, delay=3), JobId[None])
    assert_type(await service.job(take_note, {"text": "a"}), JobId[None])
    assert_type(await take_note.enqueue(manager, {"text": "a"}), JobId[None])
    assert_type(await manager.enqueue(take_notes, [{"text": "a"}]), JobId[int])
    assert_type(await manager.enqueue(point, Point(1)), JobId[None])
    assert_type(await manager.enqueue(pixel, Pixel(1)), JobId[None])
    assert_type(await manager.enqueue(copy, None), JobId[Receipt | None])
    assert_type(await manager.enqueue(copy), JobId[Receipt | None])
    assert_type(await service.job(send_mail, Mail("ada@example.org")), JobId[Receipt])
    assert_type(await service.job(sweep), JobId[None])
    assert_type(await send_mail.enqueue(manager, Mail("ada@example.org")), JobId[Receipt])
    assert_type(await sweep.enqueue(manager), JobId[None])

    assert_type(send_mail.new(Mail("ada@example.org"), priority=1), NewJob[Receipt])
    assert_type(take_note.new({"text": "a"}), NewJob[None])
    assert_type(sweep.new(), NewJob[None])
    assert_type(copy.new(), NewJob[Receipt | None])
    mails = (send_mail.new(Mail(f"{number}@example.org")) for number in range(3))
    assert_type(await manager.enqueue_many(mails), list[JobId[Receipt]])

    assert_type(send_mail.job_id(42), JobId[Receipt])
    assert_type(await manager.result(send_mail.job_id(42)), Receipt)


async def enqueue_by_key(manager: BackgroundJobManager, service: BackgroundService) -> None:
    assert_type(await manager.enqueue("send_mail", {"to": "ada"}), JobId[Any])
    assert_type(await manager.enqueue(job_key="send_mail", payload=3), JobId[Any])
    assert_type(await service.job("sweep"), JobId[Any])
    assert_type(await manager.result(await manager.enqueue("sweep")), Any)
    assert_type(await manager.result(3), object)
    assert_type(await manager.enqueue_many([NewJob(job_key="sweep")]), list[JobId[Any]])


# -- providers and tests ---------------------------------------------------------------------------


@Provider
def manager_provider(ref: Ref) -> BackgroundJobManager:
    raise NotImplementedError


address_provider = Provider(lambda ref: "ada@example.org")

receipt_provider = JobProvider(send_mail, payload=Mail("ada@example.org"), manager=manager_provider)
computed = JobProvider(
    send_mail, payload=lambda ref: Mail(ref.watch(address_provider)), manager=manager_provider, auto_dispose=True
)
swept = JobProvider(sweep, manager=manager_provider, priority=3)
by_key = JobProvider("send_mail", payload={"to": "ada"}, result=Receipt, manager=manager_provider)


def mail_to(ref: Ref, to: str) -> Mail:
    return Mail(to)


receipts_by_address = JobProvider.family(send_mail, payload=mail_to, manager=manager_provider)

assert_type(receipt_provider, JobProvider[Receipt])
assert_type(computed, JobProvider[Receipt])
assert_type(swept, JobProvider[None])
assert_type(by_key, JobProvider[Receipt])
assert_type(receipts_by_address("ada@example.org"), JobProvider[Receipt])


async def read(container: ProviderContainer) -> None:
    assert_type(container.read(receipt_provider), AsyncState[Receipt])
    assert_type(await container.read(receipt_provider.future), Receipt)


async def inline(jobs: InlineJobs) -> None:
    jobs.register_jobs(send_mail, resize)
    assert_type(await jobs.enqueue(send_mail, Mail("ada@example.org")), JobId[Receipt])
    assert_type(await jobs.enqueue(take_note, {"text": "a"}), JobId[None])
    assert_type(await jobs.enqueue(sweep), JobId[None])
    assert_type(jobs.enqueued(send_mail).payloads, list[Mail])
    assert_type(jobs.enqueued(send_mail).results, list[Receipt | None])
    assert_type(jobs.enqueued("send_mail").results, list[Any | None])
    assert_type(jobs.enqueued().payloads, list[Any])

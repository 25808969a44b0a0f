"""Definitions: their options and types, what they refuse, and the jobs that are made of them."""

from __future__ import annotations

import copy
import json
import pickle
import sqlite3
from datetime import UTC, datetime, timedelta
from functools import partial
from types import ModuleType
from typing import Any

import attrs
import pytest

from tests.support.mail import Mail, Receipt
from tetherpy import (
    BackgroundJobManager,
    BackgroundJobStatus,
    Backoff,
    DurationError,
    HandlerRegistrationError,
    JobArgumentError,
    JobCancelledError,
    JobDefinition,
    JobDefinitionError,
    JobFailedError,
    JobId,
    JobMismatchError,
    JobNotFoundError,
    JobWaitTimeoutError,
    NewJob,
    PayloadDecodeError,
    background_job,
)
from tetherpy.jobs import encode
from tetherpy.service import InlineWorker


def declared(key: str = "send_mail", **options: Any) -> JobDefinition[Mail, Receipt]:
    return JobDefinition(key, payload=Mail, result=Receipt, **options)


async def deliver(service: Any, payload: Mail, db: Any) -> Receipt:
    return Receipt(len(payload.to))


async def drain(worker: InlineWorker) -> None:
    await worker.drain(lambda ack: None)


# -- declarations ----------------------------------------------------------------------------------


def test_a_definition_is_frozen() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        declared().job_key = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"max_attempts": 0}, JobArgumentError),
        ({"priority": "high"}, JobArgumentError),
        ({"queue": ""}, JobArgumentError),
        ({"timeout": -1}, DurationError),
        ({"delay": "soon"}, DurationError),
        ({"retry": 3}, JobArgumentError),
        ({"retry": Backoff(max_attempts=7), "max_attempts": 5}, JobArgumentError),
        ({"unique_key": 3}, JobArgumentError),
        ({"colour": "red"}, TypeError),
        ({"transaction": None}, TypeError),
    ],
)
def test_an_invalid_option_is_refused_in_the_line_of_the_definition(
    options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        JobDefinition("send_mail", **options)
    with pytest.raises(error):
        background_job("send_mail", **options)


@pytest.mark.parametrize("key", ["", 3, None, b"key"])
def test_a_key_is_text_that_is_not_empty(key: Any) -> None:
    with pytest.raises(JobArgumentError):
        JobDefinition(key)


@pytest.mark.parametrize("given", [Mail("ada"), 3, "Mail"])
def test_a_payload_or_result_that_is_not_a_type_is_refused(given: Any) -> None:
    with pytest.raises(JobDefinitionError, match="not a type"):
        JobDefinition("send_mail", payload=given)
    with pytest.raises(JobDefinitionError, match="not a type"):
        JobDefinition("send_mail", result=given)


@pytest.mark.parametrize(
    "handler",
    [lambda: None, lambda service, payload: None, lambda service, payload, db, more: None, 3, None],
)
def test_a_handler_with_other_parameters_is_refused_where_it_is_decorated(handler: Any) -> None:
    with pytest.raises(JobDefinitionError, match=r"service, payload, db"):
        declared().handler(handler)
    with pytest.raises(JobDefinitionError, match=r"service, payload, db"):
        background_job("send_mail")(handler)


async def test_a_function_in_the_place_of_a_definition_or_a_key_is_an_error_that_says_what_to_write(
    manager: BackgroundJobManager,
) -> None:
    async def resize(service: Any, payload: int, db: Any) -> None: ...

    for wrong in (lambda: background_job(resize), lambda: manager.enqueue(resize, 1).send(None)):  # type: ignore[arg-type, call-overload]
        with pytest.raises(JobArgumentError, match=r'@background_job\("resize"\), and enqueue the definition'):
            wrong()


def test_a_definition_has_one_handler_which_may_be_loaded_again() -> None:
    definition = declared()
    assert definition.handler(deliver) is deliver

    async def other(service: Any, payload: Mail, db: Any) -> Receipt:
        return Receipt(0)

    with pytest.raises(JobDefinitionError, match=r"deliver already"):
        definition.handler(other)

    def again() -> Any:
        async def deliver(service: Any, payload: Mail, db: Any) -> Receipt:
            return Receipt(1)

        deliver.__qualname__ = "deliver"
        return deliver

    assert definition.handler(again()) is definition.function is not deliver


def test_the_annotations_of_a_handler_are_resolved_once_for_all_jobs() -> None:
    namespace: dict[str, Any] = {"Late": int}
    exec("async def handler(service, payload, db) -> 'Late': ...", namespace)
    definition = background_job("late")(namespace["handler"])
    assert definition.new(1).result_type is int
    del namespace["Late"]
    assert definition.new(1).result_type is int


def test_the_types_of_a_decorated_handler_are_its_annotations() -> None:
    @background_job("later")
    async def later(service: Any, payload: Later, db: NotImported) -> Later | None:  # noqa: F821 # type: ignore[name-defined]
        return payload

    assert later.payload_type is Later
    assert later.result_type == Later | None
    assert background_job("a")(lambda service, payload, db: None).payload_type is Any

    @background_job("none")
    def none(service: Any, payload: None, db: Any) -> None: ...

    assert (none.payload_type, none.result_type) == (None, None)

    def with_name(name: str, service: Any, payload: Mail, db: Any) -> Receipt:
        return Receipt(1)

    assert background_job("partial")(partial(with_name, "ada")).payload_type is Mail

    @background_job("lost")
    async def lost(service: Any, payload: NotImported, db: Any) -> NotImported:  # noqa: F821 # type: ignore[name-defined]
        return payload

    with pytest.raises(JobDefinitionError, match="import its names outside TYPE_CHECKING"):
        _ = lost.payload_type
    with pytest.raises(JobDefinitionError, match="import its names outside TYPE_CHECKING"):
        lost.new()


@attrs.frozen
class Later:
    day: int


def test_options_are_those_of_the_definition_unless_a_call_overrides_them() -> None:
    definition = declared(queue="mail", priority=3, timeout=60, delay=5, retry=Backoff(initial=1))
    assert definition.new(Mail("ada")) == NewJob(
        job_key="send_mail", payload=Mail("ada"), queue="mail", priority=3, timeout=60, delay=5
    )
    job = definition.new(Mail("ada"), priority=0, timeout=None)
    assert (job.queue, job.priority, job.timeout) == ("mail", 0, None)
    now = datetime.now(UTC)
    job = definition.new(Mail("ada"), run_at=now)
    assert (job.run_at, job.delay) == (now, None)


# -- registration ----------------------------------------------------------------------------------


async def test_a_service_registers_definitions_and_modules_of_them(worker: InlineWorker) -> None:
    module = ModuleType("jobs")
    module.first, module.second = declared("first"), declared("second")  # type: ignore[attr-defined]
    for definition in (module.first, module.second):
        definition.handler(deliver)
    third = declared("third", retry=Backoff(initial=9), timeout=7)
    third.handler(deliver)
    worker.service.register_jobs(module, third, module.first)
    assert worker.context.handlers.keys == {"first", "second", "third"}
    handler = worker.context.handlers.find("third")
    assert (handler.retry.initial, handler.timeout) == (timedelta(seconds=9), timedelta(seconds=7))


@pytest.mark.parametrize("given", [ModuleType("empty"), deliver, "send_mail", None])
async def test_what_is_no_definition_is_not_registered(worker: InlineWorker, given: Any) -> None:
    with pytest.raises(HandlerRegistrationError):
        worker.service.register_jobs(given)


async def test_a_definition_without_a_handler_is_not_registered(worker: InlineWorker) -> None:
    with pytest.raises(HandlerRegistrationError, match="no handler"):
        worker.service.register_jobs(declared())


async def test_two_definitions_of_one_key_are_refused(worker: InlineWorker) -> None:
    first, second = declared(), declared()
    for definition in (first, second):
        definition.handler(deliver)
    worker.service.register_jobs(first)
    with pytest.raises(HandlerRegistrationError, match="a handler already"):
        worker.service.register_jobs(second)
    with pytest.raises(HandlerRegistrationError, match="a handler already"):
        worker.service.register_job_handler("send_mail", deliver)


class Opaque:
    pass


@pytest.mark.parametrize("types", [{"payload": Opaque}, {"result": Opaque}])
async def test_a_type_without_a_form_in_json_is_refused_by_the_worker(
    worker: InlineWorker, types: dict[str, Any]
) -> None:
    definition = JobDefinition("opaque", **types)
    definition.handler(deliver)
    with pytest.raises(HandlerRegistrationError, match="no form in JSON"):
        worker.service.register_jobs(definition)


# -- jobs ------------------------------------------------------------------------------------------


async def test_a_job_runs_with_its_types(worker: InlineWorker, manager: BackgroundJobManager) -> None:
    definition = declared()
    definition.handler(deliver)

    @background_job("double")
    def double(service: Any, payload: int, db: Any) -> list[int]:
        return [payload, payload]

    sweep = JobDefinition("sweep")
    sweep.handler(lambda service, payload, db: None)
    worker.service.register_jobs(definition, double, sweep)

    sent = await manager.enqueue(definition, Mail("ada"))
    swept = await sweep.enqueue(manager)
    doubled = await manager.enqueue_many(double.new(number) for number in range(3))
    by_key = await manager.enqueue("send_mail", {"to": "bob"})
    await drain(worker)
    assert await manager.result(sent) == Receipt(3)
    assert await manager.result(swept) is None
    assert [await manager.result(job_id) for job_id in doubled] == [[0, 0], [1, 1], [2, 2]]
    assert await manager.result(by_key) == {"number": 3}
    assert await manager.result(int(sent)) == {"number": 3}
    assert await manager.result(definition.job_id(int(sent))) == Receipt(3)


async def test_a_payload_of_another_type_fails_the_job_without_a_retry(
    worker: InlineWorker, manager: BackgroundJobManager
) -> None:
    definition, sweep = declared(max_attempts=5), JobDefinition("sweep")
    definition.handler(deliver)
    sweep.handler(lambda service, payload, db: None)
    worker.service.register_jobs(definition, sweep)
    wrong: Any = {"to": 3}
    ids = [await manager.enqueue(definition, wrong), await manager.enqueue("sweep", 3)]
    await drain(worker)
    jobs = [await manager.wait_for(job_id) for job_id in ids]
    assert [(job.status, job.attempts) for job in jobs] == [(BackgroundJobStatus.FAILED, 1)] * 2
    assert "$.to" in str(jobs[0].last_error)


async def test_a_result_that_does_not_fit_names_job_and_path(
    worker: InlineWorker, manager: BackgroundJobManager
) -> None:
    async def other(service: Any, payload: Mail, db: Any) -> Any:
        return {"number": "one"}

    worker.service.register_job_handler("send_mail", other)
    job_id = await manager.enqueue(declared(), Mail("ada"))
    await drain(worker)
    with pytest.raises(PayloadDecodeError, match=rf"result of job {job_id} .*\$\.number") as caught:
        await manager.result(job_id)
    assert caught.value.path == "$.number"


async def test_a_job_without_a_result_says_how_it_ended(worker: InlineWorker, manager: BackgroundJobManager) -> None:
    definition = declared(max_attempts=1)

    @definition.handler
    async def fail(service: Any, payload: Mail, db: Any) -> Receipt:
        raise OSError("no route to host")

    worker.service.register_jobs(definition)
    failed = await manager.enqueue(definition, Mail("ada"))
    cancelled = await manager.enqueue(definition, Mail("ada"), delay=60)
    await manager.cancel_job(cancelled)
    await drain(worker)
    with pytest.raises(JobFailedError, match="no route to host") as caught:
        await manager.result(failed)
    assert caught.value.job is not None
    assert (caught.value.job_key, caught.value.job.id) == ("send_mail", failed)
    with pytest.raises(JobCancelledError):
        await manager.result(cancelled)


async def test_a_job_that_cannot_be_found_has_no_result(manager: BackgroundJobManager) -> None:
    definition = declared()
    job_id = await manager.enqueue(definition, Mail("ada"))
    with pytest.raises(JobWaitTimeoutError):
        await manager.result(job_id, timeout=0.01)
    await manager.cancel_job(job_id)
    with pytest.raises(JobMismatchError, match="another database"):
        await manager.result(declared("resize").job_id(job_id))
    await manager.delete_job(job_id)
    with pytest.raises(JobNotFoundError):
        await manager.result(job_id)


# -- ids -------------------------------------------------------------------------------------------


def test_an_id_is_stored_and_encoded_as_a_plain_number() -> None:
    job_id = declared().job_id(42)
    assert (job_id, hash(job_id), str(job_id), f"{job_id}", repr(job_id)) == (42, hash(42), "42", "42", "42")
    assert {job_id: 1}[42] == 1
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert type(pickle.loads(pickle.dumps(job_id, protocol))) is int
    assert copy.copy(job_id) is copy.deepcopy(job_id) is job_id
    assert json.dumps({"id": job_id}) == '{"id": 42}'
    assert encode({"id": job_id}) == '{"id":42}'
    with sqlite3.connect(":memory:") as connection:
        assert connection.execute("SELECT ?, typeof(?)", (job_id, job_id)).fetchone() == (42, "integer")


async def test_an_id_says_whether_its_job_is_new(manager: BackgroundJobManager) -> None:
    definition = declared(unique_key="one")
    first = await manager.enqueue(definition, Mail("ada"))
    second, third = await manager.enqueue_many([definition.new(Mail("bob")), NewJob(job_key="other")])
    assert (first.is_new, second.is_new, third.is_new) == (True, False, True)
    assert second == first
    assert isinstance(second, JobId)

"""The fixture ``jobs``: jobs of the app, run inside a test."""

import asyncio
import functools
import logging
import threading
from datetime import timedelta
from pathlib import Path

import attrs
import pytest

import providers
from tetherpy.database import Database
from tetherpy.jobs import (
    BackgroundJobManager,
    BackgroundJobStatus,
    Backoff,
    CancelJob,
    DoNotRetry,
    JobDefinition,
    PayloadDecodeError,
    Snooze,
    background_job,
)
from tetherpy.service import CallbackNameError, HandlerRegistrationError
from tetherpy.testing import EndlessJobsError, OtherLoopError, StuckJobsError


@attrs.frozen
class Greeting:
    name: str


async def greet(service, payload: Greeting, db):
    return f"Hello {payload.name}"


def fail(service, payload, db):
    raise ValueError(f"no {payload}")


@pytest.fixture
def provider_overrides(jobs):
    return jobs.overrides(
        path=providers.database_path_provider,
        database=providers.database_provider,
        manager=providers.background_job_manager_provider,
    )


async def test_a_definition_brings_its_handler(jobs):
    definition = background_job("greet")(greet)
    without_handler = JobDefinition("elsewhere")
    await jobs.enqueue(definition, Greeting("Ada"))
    await jobs.enqueue(without_handler)
    await jobs.drain()
    assert jobs.enqueued(definition).results == ["Hello Ada"]
    assert jobs.enqueued(without_handler).statuses == ["FAILED"]
    jobs.register_jobs(definition)  # changes nothing


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_registered_handler_replaces_that_of_an_enqueued_definition(jobs, when):
    definition = background_job("greet")(greet)
    if when == "before":
        jobs.register("greet", lambda service, payload, db: "a double")
    await jobs.enqueue(definition, Greeting("Ada"))
    if when == "after":
        jobs.register("greet", lambda service, payload, db: "a double")
    assert (await jobs.drain()).results == ["a double"]


async def test_jobs_enqueued_by_providers_of_the_app_run_in_drain(container, jobs):
    jobs.register("greet", greet)
    await container.read(providers.database_provider.future)
    manager = container.read(providers.background_job_manager_provider)
    job_id = await manager.enqueue("greet", Greeting("Ada"))
    assert jobs.enqueued("greet").payloads == [{"name": "Ada"}]
    assert jobs.enqueued("greet").statuses == ["PENDING"]
    ran = await jobs.drain()
    assert [job.id for job in ran] == [job_id]
    assert ran.results == ["Hello Ada"]
    assert (await manager.get_job_by_id(job_id)).status is BackgroundJobStatus.COMPLETED
    assert [attempt.worker for attempt in await manager.get_attempts(job_id)] == ["inline"]
    assert await jobs.drain() == []


async def test_an_empty_drain_says_why(jobs, clock):
    jobs.register("greet", greet)
    assert str(await jobs.drain()).startswith("<nothing was enqueued here: an app needs jobs.overrides(manager=...)")
    await jobs.enqueue("greet", Greeting("Ada"), delay=60)
    assert str(await jobs.drain()) == "<no job was due, 1 PENDING for later>"
    await clock.advance(60)
    await jobs.drain()
    assert str(await jobs.drain()) == "<no job was due>"


async def test_the_path_is_enough_to_connect_the_app_to_the_jobs(make_container, jobs, tmp_path):
    container = make_container(overrides=jobs.overrides(path=providers.database_path_provider))
    assert container.read(providers.database_path_provider) == jobs.path == tmp_path / "app.db"
    await container.read(providers.database_provider.future)
    await container.read(providers.background_job_manager_provider).enqueue("greet", {"name": "Ada"})
    jobs.register("greet", greet)
    assert (await jobs.drain()).results == ["Hello Ada"]


async def test_a_manager_must_have_a_database(jobs):
    with pytest.raises(ValueError, match=r"needs database=\.\.\. too"):
        jobs.overrides(manager=providers.background_job_manager_provider)


async def test_the_callback_of_the_app_configures_the_worker_in_the_folder_of_the_test(jobs, tmp_path):
    async def initialize(service):
        db = await service.enter(Database.open("app.db"))
        service.set_background_db_connection(db)
        service.register_job_handler("where", where)
        service.on("ping").subscribe(heard.append)

    async def where(service, payload, db):
        await service.invoke("working", str(db.path))
        return str(db.path)

    heard = []
    here = Path.cwd()
    await jobs.initialize(initialize)
    assert Path.cwd() == here
    await jobs.invoke("ping", 1)
    await jobs.enqueue("where")
    assert (await jobs.drain()).results == [str(tmp_path / "app.db")]
    assert (heard, jobs.messages("working"), jobs.messages("other")) == ([1], [str(tmp_path / "app.db")], [])


async def test_the_callback_of_the_app_may_be_given_by_name(jobs):
    await jobs.initialize("examples.seed.worker:my_app_background_initialization")
    await jobs.enqueue("complexDataProcessing", {"query_key": "q"})
    (job,) = await jobs.drain()
    assert job.result == {"processed_count": 1, "summary": "Processed successfully"}


async def test_an_unknown_callback_name_is_refused(jobs):
    with pytest.raises(CallbackNameError, match="it is not of the form module:function"):
        await jobs.initialize("worker")


async def test_every_outcome_of_a_handler_is_that_of_a_worker(jobs):
    async def raising(service, payload, db):
        raise {"snooze": Snooze(60), "cancel": CancelJob("enough"), "hopeless": DoNotRetry("never")}[payload]

    jobs.register("raising", raising)
    jobs.register("fail", fail, retry=Backoff(initial=timedelta(0)))
    jobs.register("greet", greet)
    for payload in ("snooze", "cancel", "hopeless"):
        await jobs.enqueue("raising", payload)
    await jobs.enqueue("fail", "way", max_attempts=2)
    await jobs.enqueue("greet", {"nome": "Ada"})
    await jobs.enqueue("unknown")
    ran = await jobs.drain()
    assert ran.statuses == ["PENDING", "CANCELLED", "FAILED", "FAILED", "FAILED", "FAILED"]
    assert [job.attempts for job in ran] == [0, 1, 1, 2, 1, 1]
    assert [error.split(":")[0] for error in ran.errors] == [
        "enough",
        "DoNotRetry",
        "ValueError",
        PayloadDecodeError.__name__,
        "NoSuchHandlerError",
    ]


async def test_jobs_with_a_later_due_time_stay_pending(jobs):
    jobs.register("fail", fail, retry=Backoff(initial=timedelta(hours=1)))
    await jobs.enqueue("fail", "way")
    await jobs.enqueue("fail", "later", delay=3600)
    assert len(await jobs.drain()) == 1
    assert jobs.enqueued().statuses == ["PENDING", "PENDING"]
    assert await jobs.drain() == []


async def test_drain_also_runs_jobs_that_jobs_enqueue_in_order_of_priority(jobs):
    order = []

    async def parent(service, payload, db):
        order.append("parent")
        await BackgroundJobManager(db).enqueue("child", 1)
        await BackgroundJobManager(db).enqueue("child", 2, priority=1)

    async def child(service, payload, db):
        order.append(payload)

    jobs.register("parent", parent)
    jobs.register("child", child)
    await jobs.enqueue("child", 0)
    await jobs.enqueue("parent", priority=9)
    assert len(await jobs.drain()) == 4
    assert order == ["parent", 2, 0, 1]


async def test_a_job_has_its_own_container_and_progress_and_a_thread_if_it_is_not_async(jobs):
    def in_thread(service, payload, db):
        service.report_progress(0.5, "half")
        assert not service.cancelled
        return threading.current_thread() is not threading.main_thread()

    async def with_container(service, payload, db):
        async with service.job_container([providers.database_path_provider.override_with_value(Path("x"))]) as own:
            return str(own.read(providers.database_path_provider))

    jobs.register("thread", in_thread)
    jobs.register("container", with_container)
    await jobs.enqueue("thread")
    await jobs.enqueue("container")
    ran = await jobs.drain()
    assert ran.results == [True, "x"]
    assert (ran[0].progress, ran[0].progress_message) == (0.5, "half")


def passing_on(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


def blocking(function):
    @functools.wraps(function)
    def wrapper(*args):
        return asyncio.run(function(*args))

    return wrapper


async def later(service, payload, db, extra=None):
    await asyncio.sleep(0)
    return f"later {extra}"


async def test_an_awaitable_result_of_any_handler_is_awaited(jobs):
    handlers = {
        "lambda": lambda service, payload, db: later(service, payload, db, "lambda"),
        "partial": functools.partial(later, extra="partial"),
        "partial of a lambda": functools.partial(lambda *args, extra: later(*args, extra), extra="both"),
        "passing on": passing_on(later),
        "blocking": blocking(later),
    }
    for key, handler in handlers.items():
        jobs.register(key, handler)
        await jobs.enqueue(key, max_attempts=1)
    ran = await jobs.drain()
    assert ran.results == ["later lambda", "later partial", "later both", "later None", "later None"]


@pytest.mark.parametrize("turns", [0, 5])
async def test_progress_reported_before_completion_in_a_transaction_is_committed(jobs, turns):
    async def work(service, payload, db):
        async with db.transaction() as transaction:
            service.report_progress(0.25, "begun")
            for _ in range(turns):  # long enough for the report to wait for this transaction, or zero
                await asyncio.sleep(0)
            service.report_progress(0.75)
            await service.complete("done", transaction=transaction)

    jobs.register("work", work)
    await jobs.enqueue("work")
    (ran,) = await jobs.drain()
    assert (ran.status, ran.progress, ran.progress_message) == (BackgroundJobStatus.COMPLETED, 0.75, "begun")


async def test_a_timeout_cancels_the_awaitable_result_of_a_plain_function(jobs):
    async def hang():
        await asyncio.Event().wait()

    jobs.register("hang", lambda service, payload, db: hang(), timeout=timedelta(milliseconds=50))
    await jobs.enqueue("hang", max_attempts=1)
    (ran,) = await jobs.drain()
    assert "JobTimeoutError" in ran.last_error


async def test_a_timeout_ends_an_attempt(jobs):
    async def hang(service, payload, db):
        await asyncio.Event().wait()

    jobs.register("hang", hang)
    await jobs.enqueue("hang", timeout=0.01, max_attempts=1)
    (job,) = await jobs.drain()
    assert (job.status, job.last_error.split(":")[0]) == ("FAILED", "JobTimeoutError")


async def test_the_test_sets_the_number_of_concurrent_jobs(jobs):
    jobs.concurrency = 2
    met = asyncio.Barrier(2)

    async def meet(service, payload, db):
        await met.wait()

    jobs.register("meet", meet)
    await jobs.enqueue("meet")
    await jobs.enqueue("meet")
    assert (await jobs.drain()).statuses == ["COMPLETED", "COMPLETED"]


async def test_an_endless_chain_of_jobs_is_an_error(jobs):
    async def again(service, payload, db):
        await BackgroundJobManager(db).enqueue("again")

    jobs.register("again", again)
    await jobs.enqueue("again")
    with pytest.raises(EndlessJobsError, match=r"run 5 attempts .* job 6 \('again'\)"):
        await jobs.drain(limit=5)
    assert len(jobs.enqueued("again")) == 7


async def test_a_handler_that_does_not_end_is_named(jobs, limit_starts):
    async def stuck(service, payload, db):
        limit_starts.set()
        await asyncio.Event().wait()

    jobs.real_time_limit = 0.05
    jobs.register("stuck", stuck)
    await jobs.enqueue("stuck")
    with pytest.raises(StuckJobsError, match=r"0\.05 s for running jobs: 1 \('stuck'\)"):
        await jobs.drain()


async def test_a_timeout_at_the_end_of_the_drain_cancels_nothing(jobs, monkeypatch):
    """The timer fires in its thread before the drain ends, and its callback runs in the loop afterwards."""
    rung = []

    class Timer(threading.Timer):
        def start(self):
            rung.append(self.args[0])

    monkeypatch.setattr("tetherpy.testing.real_time_limit.threading.Timer", Timer)
    assert await jobs.drain() == []
    rung[0]()
    await asyncio.sleep(0)


async def test_cancelling_a_drain_cancels_it(jobs):
    began = asyncio.Event()

    async def stuck(service, payload, db):
        began.set()
        await asyncio.Event().wait()

    jobs.register("stuck", stuck)
    await jobs.enqueue("stuck")
    draining = asyncio.create_task(jobs.drain())
    await began.wait()
    draining.cancel()
    with pytest.raises(asyncio.CancelledError):
        await draining


async def test_the_log_contains_the_traceback_of_a_handler(jobs, caplog):
    jobs.register("fail", fail)
    await jobs.enqueue("fail", "way")
    with caplog.at_level(logging.WARNING, "tetherpy.testing"):
        await jobs.drain()
    (record,) = [record for record in caplog.records if record.name == "tetherpy.testing"]
    assert "Attempt 1 of job 1 ('fail') failed: Traceback" in record.getMessage()
    assert "ValueError: no way" in record.getMessage()


async def test_a_key_has_one_handler_and_an_invalid_handler_is_refused(jobs):
    jobs.register("greet", greet)
    jobs.register("greet", greet)
    with pytest.raises(HandlerRegistrationError):
        await jobs.enqueue("greet")


async def test_handlers_may_be_registered_later(jobs):
    await jobs.enqueue("greet", {"name": "Ada"})
    jobs.register("greet", greet)
    assert (await jobs.drain()).results == ["Hello Ada"]


async def test_job_lists_describe_the_outcome_of_each_job(jobs):
    assert repr(jobs.enqueued("greet")) == "<nothing was enqueued>"
    jobs.register("greet", greet)
    await jobs.enqueue("greet", {"name": "Ada"})
    await jobs.enqueue("greet", {"nome": "<script>" * 100})
    assert repr(jobs.enqueued("mail")) == "<no 'mail' was enqueued, but 2 x 'greet'>"
    ran = await jobs.drain()
    first, second = repr(ran).splitlines()
    assert first == '1 greet COMPLETED {"name":"Ada"} -> "Hello Ada" attempt 1 of 3'
    assert second.startswith('2 greet FAILED {"nome":"<script>')
    assert "... attempt 1 of 3 ! PayloadDecodeError: " in second
    assert len(second) < 400


async def test_periodic_jobs_need_the_clock(jobs):
    async def initialize(service):
        service.register_periodic_job("often", every=timedelta(milliseconds=1), job_key="poll")
        service.register_job_handler("wait", wait)

    async def wait(service, payload, db):
        await asyncio.sleep(0.02)

    await jobs.initialize(initialize)
    await jobs.enqueue("wait")
    assert len(await jobs.drain()) == 1
    assert jobs.enqueued("poll") == []


def test_without_a_loop_the_error_explains_it(jobs):
    with pytest.raises(OtherLoopError, match="async def"):
        asyncio.run(jobs.enqueue("greet"))
    assert jobs.enqueued() == []


@pytest.mark.parametrize(
    ("raised", "status", "attempts", "error"),
    [
        ([DoNotRetry("no use")], "FAILED", 1, "DoNotRetry: no use"),
        ([ValueError("first"), ExceptionGroup("", [DoNotRetry("no use")])], "FAILED", 1, "DoNotRetry: no use"),
        ([CancelJob("enough"), DoNotRetry("no use")], "FAILED", 1, "DoNotRetry: no use"),
        ([PayloadDecodeError("report", "bad")], "FAILED", 1, "PayloadDecodeError"),
        ([ExceptionGroup("", [CancelJob("enough")])], "CANCELLED", 1, "enough"),
        ([ValueError("first"), CancelJob("enough")], "CANCELLED", 1, "enough"),
        ([Snooze(60), ExceptionGroup("", [Snooze(3600)])], "PENDING", 0, None),
        ([Snooze(60), ValueError("first")], "PENDING", 1, "ExceptionGroup"),
    ],
    ids=lambda value: repr(value) if isinstance(value, list) else "",
)
async def test_an_exception_group_counts_as_the_errors_it_contains(container, jobs, raised, status, attempts, error):
    async def refuse(service, payload, db):
        raise ExceptionGroup("group", raised)

    jobs.register("refuse", refuse)
    await container.read(providers.database_provider.future)
    manager = container.read(providers.background_job_manager_provider)
    job_id = await manager.enqueue("refuse", max_attempts=3)
    await jobs.drain(limit=1)
    job = await manager.get_job_by_id(job_id)
    assert (job.status.name, job.attempts) == (status, attempts)
    assert job.last_error is None if error is None else error in job.last_error

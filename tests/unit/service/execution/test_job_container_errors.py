"""Context managers of a job's container get the error that ended the job."""

import asyncio
import threading
from contextlib import asynccontextmanager, contextmanager

import pytest

from tetherpy import FutureProvider, Provider, Ref
from tetherpy.jobs import Backoff, CancelJob


class Transactions:
    """Context managers that record the error with which they exit."""

    def __init__(self):
        self.ends = []

    @contextmanager
    def plain(self, name="plain"):
        try:
            yield
        except BaseException as error:
            self.ends.append((name, type(error)))
            raise
        self.ends.append((name, None))

    @asynccontextmanager
    async def waiting(self):
        with self.plain("waiting"):
            yield


def handler_with(transactions, end):
    plain = Provider(lambda ref: ref.enter(transactions.plain()))

    @FutureProvider
    async def waiting(ref: Ref) -> None:
        ref.watch(plain)
        await ref.enter_async(transactions.waiting())

    async def handle(service, payload, db):
        await service.job_container().read(waiting.future)
        return await end(service)

    return handle


async def returns(service):
    return 1


async def fails(service):
    raise ValueError("no")


async def fails_in_a_group(service):
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fails(service))


async def cancels(service):
    raise CancelJob("no longer wanted")


async def takes_too_long(service):
    await asyncio.Event().wait()


async def gives_no_json(service):
    return object()


@pytest.mark.parametrize(
    ("end", "error"),
    [
        (returns, type(None)),
        (fails, ValueError),
        (fails_in_a_group, ExceptionGroup),
        (cancels, CancelJob),
        (takes_too_long, asyncio.CancelledError),
        (gives_no_json, Exception),
    ],
)
async def test_context_managers_exit_in_order_with_the_error_of_the_handler(worker, manager, end, error):
    transactions = Transactions()
    worker.service.register_job_handler("work", handler_with(transactions, end), retry=Backoff(initial=0))
    await manager.enqueue("work", max_attempts=2, timeout=0.05 if end is takes_too_long else 25)
    async with asyncio.timeout(25):
        await worker.drain(lambda ack: None)
    assert [name for name, _ in transactions.ends[:2]] == ["waiting", "plain"]
    assert transactions.ends
    for _, left_with in transactions.ends:
        assert left_with is None if error is type(None) else issubclass(left_with, error)


async def test_a_failed_commit_rolls_back_the_other_containers_of_the_job(worker, manager):
    transactions = Transactions()

    @contextmanager
    def uncommitted():
        yield
        raise OSError("the commit failed")

    async def handle(service, payload, db):
        for entered in (transactions.plain, uncommitted):
            service.job_container().read(Provider(lambda ref, entered=entered: ref.enter(entered())))

    worker.service.register_job_handler("work", handle)
    job_id = await manager.enqueue("work", max_attempts=1)
    async with asyncio.timeout(25):
        await worker.drain(lambda ack: None)
    assert (await manager.get_job_by_id(job_id)).status == "FAILED"
    assert transactions.ends == [("plain", ExceptionGroup)]


def in_thread(service, payload, db):
    """Leave the containers to the end of the job, which must close them in this thread."""
    transactions, end = ENDS[payload]
    service.job_container().read(Provider(lambda ref: ref.enter(transactions.plain("first"))))
    service.job_container().read(Provider(lambda ref: ref.enter(end(transactions))))


@contextmanager
def uncommitted(transactions):
    with transactions.plain("second"):
        yield
    raise OSError("the commit failed")


def failing(transactions):
    raise ValueError("no")


ENDS = {}


@pytest.mark.parametrize(
    ("end", "status", "ends"),
    [
        (lambda transactions: transactions.plain("second"), "COMPLETED", [("second", None), ("first", None)]),
        (failing, "FAILED", [("first", "ProviderError")]),
        (uncommitted, "FAILED", [("second", None), ("first", "ExceptionGroup")]),
    ],
)
async def test_containers_of_a_handler_in_a_thread_end_with_the_job(worker, manager, end, status, ends):
    transactions = Transactions()
    ENDS["now"] = transactions, end
    worker.service.register_job_handler("work", in_thread)
    job_id = await manager.enqueue("work", "now", max_attempts=1)
    async with asyncio.timeout(25):
        await worker.drain(lambda ack: None)
    assert (await manager.get_job_by_id(job_id)).status == status
    assert [(name, error and error.__name__) for name, error in transactions.ends] == ends


async def test_a_handler_in_a_thread_that_ends_early_rolls_back(worker, manager):
    transactions = Transactions()

    def work(service, payload, db):
        service.job_container().read(Provider(lambda ref: ref.enter(transactions.plain())))
        asyncio.run_coroutine_threadsafe(manager.cancel_job(service.job.id), loop).result(25)
        while not service.cancelled:
            pass
        return "half done"

    loop = asyncio.get_running_loop()
    worker.service.register_job_handler("work", work)
    await manager.enqueue("work")
    async with asyncio.timeout(25):
        await worker.drain(lambda ack: None)
    assert transactions.ends == [("plain", asyncio.CancelledError)]


async def test_a_handler_in_a_thread_that_ends_after_its_outcome_rolls_back(worker, manager):
    """Another worker may run the job by then."""
    transactions = Transactions()
    started, timed_out = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def work(service, payload, db):
        service.job_container().read(Provider(lambda ref: ref.enter(transactions.plain())))
        loop.call_soon_threadsafe(started.set)
        timed_out.wait(25)

    worker.service.register_job_handler("work", work)
    await manager.enqueue("work", timeout=0.2, max_attempts=1)
    async with asyncio.timeout(25):
        draining = asyncio.create_task(worker.drain(lambda ack: timed_out.set()))
        await started.wait()
        worker._jobs.executor.grace = 0
        await draining
        while not transactions.ends:
            await asyncio.sleep(0.001)
    assert transactions.ends == [("plain", asyncio.CancelledError)]


async def test_context_managers_of_a_cancelled_job_do_not_exit_as_successful(worker, manager):
    transactions = Transactions()

    def handle(service, payload, db):
        service.job_container().read(Provider(lambda ref: ref.enter(transactions.plain())))

    async def asked(service, payload, db):
        handle(service, payload, db)
        await manager.cancel_job(service.job.id)
        while not service.cancelled:
            try:
                await asyncio.sleep(0.001)
            except asyncio.CancelledError:
                continue
        return "half done"

    worker.service.register_job_handler("work", asked)
    await manager.enqueue("work")
    async with asyncio.timeout(25):
        await worker.drain(lambda ack: None)
    assert transactions.ends == [("plain", asyncio.CancelledError)]


async def test_context_managers_of_a_released_job_do_not_exit_as_successful(worker, manager):
    transactions = Transactions()
    started = asyncio.Event()

    async def handle(service, payload, db):
        service.job_container().read(Provider(lambda ref: ref.enter(transactions.plain())))
        started.set()
        await asyncio.Event().wait()

    worker.service.register_job_handler("work", handle)
    await manager.enqueue("work")
    async with asyncio.timeout(25):
        draining = asyncio.create_task(worker.drain(lambda ack: None))
        await started.wait()
        draining.cancel()
        await asyncio.wait([draining])
        while not transactions.ends:
            await asyncio.sleep(0)
    assert transactions.ends == [("plain", asyncio.CancelledError)]

"""A worker whose handlers misbehave."""

import asyncio
import contextlib
import ctypes
import multiprocessing
import os
import resource
import signal
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tetherpy.database import Database
from tetherpy.jobs import Backoff, Snooze

SOON = Backoff(initial=timedelta(milliseconds=10), jitter=0)


async def initialize(service):
    for handler in (
        echo,
        never_yields,
        ignores_cancellation,
        raises,
        recurses,
        crashes,
        returns_much,
        returns_nested,
        returns_surrogate,
        tells_surrogates,
        waits_for_file,
        wants_the_impossible,
        keeps_a_transaction_open,
        uses_a_pool,
        writes_in_a_process,
        ends_its_copies_at_once,
        runs_programs,
        snoozes_for_ever,
        completes_itself,
        completes_and_undoes,
        closes_everything,
        closes_the_database,
        cancels_every_task,
        stops_the_loop,
        holds_every_descriptor,
        leaks_every_descriptor,
        measure,
    ):
        service.register_job_handler(handler.__name__, handler, retry=SOON)
    for_ever = Backoff(initial=timedelta.max, maximum=timedelta.max, jitter=0)
    service.register_job_handler("fails_for_ever", raises, retry=for_ever)
    service.register_job_handler("raises_in_thread", raises_in_thread, retry=SOON)


async def impatient(service):
    """Wait for other writers for a tenth of a second only."""
    path = Path(service._context.config.database)
    service.set_background_db_connection(await service.enter(Database.open(path, busy_timeout=0.1)))
    await initialize(service)


async def echo(service, payload, db):
    return payload


def mark(path, suffix=""):
    """Create a marker file."""
    Path(path).with_suffix(suffix).touch()


async def never_yields(service, payload: str, db):
    """Block the loop for ever, after creating a marker file."""
    mark(payload)
    while True:
        time.sleep(1)


async def ignores_cancellation(service, payload: str, db):
    mark(payload)
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        mark(payload, ".asked")
        await until_exists(Path(payload).with_suffix(".go"))
        return "finished anyway"
    return "nobody asked"


async def until_exists(path):
    while True:
        if path.exists():
            return
        try:
            await asyncio.sleep(0.005)
        except asyncio.CancelledError:
            continue


class Unheard(BaseException):
    pass


ERRORS = {
    "BaseException": Unheard,
    "GeneratorExit": GeneratorExit,
    "KeyboardInterrupt": KeyboardInterrupt,
    "CancelledError": asyncio.CancelledError,
    "StopIteration": StopIteration,
    "StopAsyncIteration": StopAsyncIteration,
    "MemoryError": MemoryError,
    "TimeoutError": TimeoutError,
    "ExceptionGroup": lambda text: BaseExceptionGroup(text, [Unheard("inside")]),
}


async def raises(service, payload: str, db):
    raise ERRORS[payload](f"{payload} from a handler")


def raises_in_thread(service, payload: str, db):
    raise ERRORS[payload](f"{payload} from a handler")


def _recurse(depth):
    return _recurse(depth + 1) + 1


async def recurses(service, payload, db):
    return _recurse(0)


async def crashes(service, payload, db):
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.string_at(0)


async def returns_much(service, payload: int, db):
    return "x" * payload


async def returns_nested(service, payload: int, db):
    nested = []
    for _ in range(payload):
        nested = [nested]
    return nested


async def returns_surrogate(service, payload, db):
    return {"text": ["fine", "\ud800"]}


async def tells_surrogates(service, payload, db):
    service.set_foreground_notification_info(title="broken \ud800", content="text \0")
    service.report_progress(0.5, "broken \ud800 text \0")
    await asyncio.sleep(0.2)
    return "told"


async def waits_for_file(service, payload: str, db):
    mark(payload)
    await until_exists(Path(payload).with_suffix(".go"))
    return "done"


@dataclass
class Impossible:
    text: str

    def __post_init__(self):
        raise KeyError(f"no {self.text} can be")


async def wants_the_impossible(service, payload: Impossible, db):
    return "never reached"


def uses_a_pool(service, payload: list[int], db):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(abs, payload)


def write(path):
    async def insert():
        async with Database.open(path) as db:
            return (await db.execute("CREATE TABLE IF NOT EXISTS written (x)")).rowcount

    return asyncio.run(insert())


def writes_in_a_process(service, method: str, db):
    with multiprocessing.get_context(method).Pool(1) as pool:
        return pool.apply(write, [db.address])


def ends_its_copies_at_once(service, number: int, db):
    """Fork, and end the child before it runs any line; return how the children ended."""
    codes = set()
    for _ in range(number):
        copy = os.fork()
        if not copy:
            time.sleep(600)
            os._exit(1)
        os.kill(copy, signal.SIGTERM)
        codes.add(os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]))
    return sorted(codes)


async def runs_programs(service, payload, db):
    """Run a program that ends, and leave another one running."""
    program = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    answer, _ = await program.communicate(payload.encode())
    left = await asyncio.create_subprocess_exec("sleep", "600")
    return {"answer": answer.decode(), "left": left.pid}


async def snoozes_for_ever(service, payload, db):
    raise Snooze(timedelta.max)


async def completes_itself(service, payload, db):
    async with db.transaction() as tx:
        await service.complete("in the transaction", transaction=tx)


async def completes_and_undoes(service, payload, db):
    with contextlib.suppress(ZeroDivisionError):
        async with db.transaction() as tx:
            await service.complete("in the transaction", transaction=tx)
            raise ZeroDivisionError
    return "after it was undone"


async def closes_everything(service, payload, db):
    """Close the database and every stream and socket of the process."""
    os.closerange(3, 256)


async def closes_the_database(service, payload, db):
    await db.aclose()


async def keeps_a_transaction_open(service, payload, db):
    await db.transaction().__aenter__()


async def cancels_every_task(service, payload, db):
    for task in asyncio.all_tasks():
        task.cancel()


async def stops_the_loop(service, payload, db):
    asyncio.get_running_loop().stop()


def take_descriptors(held):
    while True:
        held.append(os.open(os.devnull, os.O_RDONLY))


async def leaks_every_descriptor(service, payload, db):
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    take_descriptors([])


async def holds_every_descriptor(service, payload: str, db):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    mark(payload)
    held = []
    with contextlib.suppress(OSError):
        take_descriptors(held)
    await until_exists(Path(payload).with_suffix(".go"))
    for descriptor in held:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return "let go"


async def measure(service, payload, db):
    return len(payload)

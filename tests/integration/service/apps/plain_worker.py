"""A worker for the tests: one handler for each kind of behaviour."""

import asyncio
import atexit
import os
import signal
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import attrs

from tetherpy.jobs import Backoff, CancelJob, DoNotRetry, Snooze

SOON = Backoff(initial=timedelta(milliseconds=10), jitter=0)


@attrs.frozen
class Greeting:
    name: str
    times: int = 1


@dataclass
class Report:
    text: str


async def initialize(service):
    handlers = {
        "echo": echo,
        "greet": greet,
        "greet_or_none": greet_or_none,
        "nap": nap,
        "nap_in_thread": nap_in_thread,
        "wait_in_thread": wait_in_thread,
        "hand_over": hand_over,
        "fail": fail,
        "hopeless": hopeless,
        "snooze_once": snooze_once,
        "give_up": give_up,
        "stubborn": stubborn,
        "whoami": whoami,
        "modules": modules,
        "unencodable": unencodable,
        "exit": exit_by_system_exit,
        "exit_in_thread": exit_in_thread,
        "die": die,
        "die_once": die_once,
        "fork_and_return": fork_and_return,
        "fork_and_await": fork_and_await,
        "fork_in_thread": fork_in_thread,
        "spawn": spawn,
        "die_before_its_copy_wakes": die_before_its_copy_wakes,
        "print": print_much,
        "progress": progress,
        "notify": notify,
        "block": block,
        "surrogate": surrogate,
        "signals": signals,
        "program": program,
        "leave_at_exit": leave_at_exit,
    }
    for key, handler in handlers.items():
        service.register_job_handler(key, handler, retry=SOON)
    service.register_job_handler("short", nap, retry=SOON, timeout=0.1)


async def echo(service, payload, db):
    return payload


async def greet(service, payload: Greeting, db) -> Report:
    return Report(" ".join([f"hello {payload.name}"] * payload.times))


async def greet_or_none(service, payload: Greeting | None, db):
    return "nobody" if payload is None else payload.name


async def nap(service, payload: float, db):
    await asyncio.sleep(payload)
    return "rested"


def nap_in_thread(service, payload: float, db):
    time.sleep(payload)
    return "rested"


def wait_in_thread(service, payload, db):
    service.report_progress(0.5, "waiting")
    while not service.cancelled:
        time.sleep(0.005)
    return "never kept"


def hand_over(service, payload: str, db):
    """Note the payload, enqueue the next job and complete this one in one transaction."""
    from tetherpy.jobs import SyncJobManager  # here, because the worker should load few modules

    db.execute("CREATE TABLE IF NOT EXISTS handed_over (word TEXT)")
    with db.transaction() as tx:
        tx.execute("INSERT INTO handed_over VALUES (?)", (payload,))
        service.report_progress(0.5, f"handed over {payload}")
        job_id = SyncJobManager(db).enqueue("echo", payload, transaction=tx)
        service.complete(job_id, transaction=tx)
        if payload == "too hot":
            raise ValueError(payload)
    return "ignored, because the job is complete"


async def fail(service, payload, db):
    raise ValueError(f"attempt {service.job.attempts} failed")


async def hopeless(service, payload, db):
    raise DoNotRetry("no use")


def snooze_once(service, payload: str, db):
    marker = Path(payload)
    if not marker.exists():
        marker.touch()
        raise Snooze(0.01)
    return service.job.attempts


async def give_up(service, payload, db):
    raise CancelJob("not needed any more")


async def stubborn(service, payload: float, db):
    until = time.monotonic() + payload
    while time.monotonic() < until:
        try:
            await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            continue
    return "finished anyway"


async def whoami(service, payload, db):
    return {"pid": os.getpid(), "cwd": os.getcwd(), "session": os.getsid(0), "path": sys.path}


async def modules(service, payload, db):
    return sorted(sys.modules)


async def unencodable(service, payload, db):
    return {"when": {"what": object()}}


async def exit_by_system_exit(service, payload, db):
    sys.exit(3)


def exit_in_thread(service, payload, db):
    sys.exit(3)


async def die(service, payload, db):
    os._exit(9)


async def die_once(service, payload, db):
    if service.job.attempts == 1:
        os._exit(9)
    return "lived"


async def fork_and_return(service, payload, db):
    child = os.fork()
    return _wait_for(child) if child else "the copy's"


async def fork_and_await(service, payload, db):
    child = os.fork()
    if child:
        return _wait_for(child)
    await asyncio.sleep(0)
    return "the copy's"


def fork_in_thread(service, payload, db):
    child = os.fork()
    return _wait_for(child) if child else "the copy's"


def _wait_for(child):
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


async def spawn(service, payload, db):
    """Leave a forked process running, with all descriptors of this one."""
    child = os.fork()
    if not child:
        signal.pause()
        os._exit(0)
    return child


async def die_before_its_copy_wakes(service, payload: str, db):
    """Leave a process behind that starts like that of ``spawn``, after this one has died."""
    if service.job.attempts > 1:
        return "lived"
    left_by.append(os.getpid())
    copy = os.fork()
    if not copy:
        signal.pause()
    Path(payload).write_text(str(copy))
    os._exit(9)


left_by = []


def sleep_while_the_parent_lives():
    while os.getppid() in left_by:
        time.sleep(0.001)


# This module is loaded before its process becomes a worker, so this hook runs before those of the worker.
os.register_at_fork(after_in_child=sleep_while_the_parent_lives)


def print_much(service, payload: int, db):
    line = "x" * 1023 + "\n"
    for _ in range(payload // 1024):
        sys.stdout.write(line)
    sys.stdout.flush()
    return "printed"


async def progress(service, payload: float, db):
    service.report_progress(0.4, "step 2 of 5")
    await asyncio.sleep(payload)


async def notify(service, payload: str, db):
    service.set_foreground_notification_info(title="Busy", content=payload)


async def block(service, payload: float, db):
    time.sleep(payload)
    return "blocked"


async def surrogate(service, payload, db):
    raise ValueError("broken \ud800 text\0")


async def signals(service, payload, db):
    blocked = [number for number in signal.pthread_sigmask(signal.SIG_BLOCK, ()) if number < signal.SIGRTMIN]
    return {"blocked": blocked, "ignored": signal.getsignal(signal.SIGHUP) is signal.SIG_IGN}


async def program(service, payload: float, db):
    running = await asyncio.create_subprocess_exec("sleep", str(payload))
    service.report_progress(0.5)
    return await running.wait()


async def leave_at_exit(service, payload: str, db):
    """Leave a process pool and an exit handler."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    POOL.append(ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")))
    atexit.register(Path(payload).write_text, "ran")
    return await asyncio.get_running_loop().run_in_executor(POOL[0], os.getpid)


POOL = []

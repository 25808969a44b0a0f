"""A worker whose handlers log and print in every way."""

import asyncio
import logging
import logging.config
import os
import signal
import sys

from tetherpy.jobs import Backoff, CancelJob, Snooze

logger = logging.getLogger("shop")
SOON = Backoff(initial=0.01, jitter=0)


def initialize(service):
    for handler in (talk, talk_in_thread, fail, snooze, cancel, much, hostile, quiet, crash):
        service.register_job_handler(handler.__name__, handler, retry=SOON)


def initialize_with_own_logging(service):
    logging.setLogRecordFactory(OwnRecord)
    logging.config.dictConfig(
        {
            "version": 1,
            "formatters": {"own": {"format": "%(mark)s %(job_id)s %(job_key)s %(attempt)s %(message)s"}},
            "handlers": {"own": {"class": "logging.StreamHandler", "formatter": "own"}},
            "loggers": {"shop": {"handlers": ["own"], "level": "INFO", "propagate": False}},
        }
    )
    initialize(service)


class OwnRecord(logging.LogRecord):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.mark = "own"


async def talk(service, payload, db):
    logger.info("from the loop")
    print("printed")
    print("to stderr", file=sys.stderr)
    await asyncio.to_thread(logger.warning, "from a %s", "thread")
    await asyncio.create_task(log_in_task())
    logger.info("own id", extra={"job_id": "mine"})
    print("no line break", end="")


async def log_in_task():
    logger.info("from a task")


def talk_in_thread(service, payload, db):
    logger.info("plain def")
    print("printed by def")


async def fail(service, payload, db):
    logger.info("attempt %d", service.job.attempts)
    raise ValueError("no such customer")


async def snooze(service, payload, db):
    raise Snooze(3600)


async def cancel(service, payload, db):
    raise CancelJob("not needed")


async def much(service, payload, db):
    for number in range(payload):
        logger.info("line %d", number)


async def hostile(service, payload, db):
    logger.info("nul \0, surrogate \ud800, escape \x1b[31m, <script>alert(1)</script>, \u202ebidi")
    logger.info("line one\n2026-01-01T00:00:00.000Z CRITICAL root: forged")
    logger.info("%d arguments", "wrong")
    logger.info("x" * 10_000_000)
    print("y" * 10_000_000)
    print("\0\ud800\x1b]0;title\a")
    logger.error("%s", Unprintable(), extra={"object": Unprintable(), "level": "mine", "nan": float("nan")})


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no text")


async def quiet(service, payload, db):
    return None


async def crash(service, payload, db):
    logger.info("before the crash")
    while not os.path.exists(payload):
        await asyncio.sleep(0.005)
    logger.info("too late")
    os.kill(os.getpid(), signal.SIGKILL)

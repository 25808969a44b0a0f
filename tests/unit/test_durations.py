"""Parameters of the public API that take a duration: accepted and refused values."""

import inspect
import math
from datetime import timedelta
from decimal import Decimal

import pytest

import tetherpy
import tetherpy.jobs
import tetherpy.service
import tetherpy.testing
import tetherpy.ui.notify
from tetherpy.database import Database, PostgresDatabase
from tetherpy.durations import duration_text
from tetherpy.errors import DurationError
from tetherpy.jobs import BackgroundJobManager, Backoff, Every, NewJob, Snooze, engine_of
from tetherpy.reactive import Provider, ProviderContainer, StorageOptions
from tetherpy.service import BackgroundService, ServiceInstance, run_worker
from tetherpy.testing import Clock, InlineJobs
from tetherpy.ui.notify import JobNotifications

SPAN = timedelta(seconds=2.5)


@pytest.fixture
def worker(worker):
    worker.service.register_job_handler("known", lambda service, payload, db: None)
    return worker


def cached_for(duration):
    with ProviderContainer() as container:
        container.read(Provider(lambda ref: ref.cache_for(duration)))


def service_with(**options):
    return BackgroundService("app.db", "worker:initialize", **options)


PLAIN = {
    ("Backoff", "initial"): lambda value: Backoff(initial=value).initial,
    ("Backoff", "maximum"): lambda value: Backoff(maximum=value).maximum,
    ("Every", "interval"): lambda value: Every(value).interval,
    ("NewJob", "delay"): lambda value: NewJob(job_key="k", delay=value).delay,
    ("NewJob", "timeout"): lambda value: NewJob(job_key="k", timeout=value).timeout,
    ("Snooze", "delay"): lambda value: Snooze(value).delay,
    ("StorageOptions", "cache_time"): lambda value: StorageOptions(cache_time=value).cache_time,
    ("BackgroundService", "retention"): lambda value: service_with(retention=value),
    ("BackgroundService", "unknown_key_grace"): lambda value: service_with(unknown_key_grace=value),
    ("BackgroundService", "lease"): lambda value: service_with(lease=value),
    ("BackgroundService", "start_timeout"): lambda value: service_with(start_timeout=value),
    ("BackgroundService", "stop_timeout"): lambda value: service_with(stop_timeout=value),
    ("Database.open", "busy_timeout"): lambda value: Database.open("app.db", busy_timeout=value),
    ("Database.open", "safety_interval"): lambda value: Database.open("app.db", safety_interval=value),
    ("PostgresDatabase.open", "connect_timeout"): lambda value: PostgresDatabase.open(
        "postgresql://x/y", connect_timeout=value
    ),
    ("JobNotifications", "interval"): lambda value: JobNotifications(None, None, None, interval=value).interval,
    ("Clock", "real_time_limit"): lambda value: Clock(real_time_limit=value).real_time_limit,
    ("InlineJobs", "real_time_limit"): lambda value: InlineJobs("app.db", None, real_time_limit=value).real_time_limit,
}
WRONG = ["5m", "5", b"5", True, math.nan, -5, timedelta(seconds=-5), [5], object()]


@pytest.mark.parametrize("give", PLAIN.values(), ids=[f"{call}-{name}" for call, name in PLAIN])
def test_an_invalid_duration_is_refused_at_the_call(give):
    for value in WRONG:
        with pytest.raises(DurationError):
            give(value)


@pytest.mark.parametrize("give", PLAIN.values(), ids=[f"{call}-{name}" for call, name in PLAIN])
def test_seconds_and_timedeltas_are_equivalent(give):
    kept = [give(value) for value in (SPAN, 2.5, Decimal("2.5"))]
    if isinstance(kept[0], timedelta | float):
        assert set(kept) <= {SPAN, 2.5}
        assert len(set(kept)) == 1


ASKED = {
    "enqueue-delay": lambda manager, worker, value: manager.enqueue("k", delay=value),
    "enqueue-timeout": lambda manager, worker, value: manager.enqueue("k", timeout=value),
    "wait_for-timeout": lambda manager, worker, value: manager.wait_for(1, value),
    "delete-older_than": lambda manager, worker, value: manager.delete_jobs_by_status("FAILED", older_than=value),
    "stop-timeout": lambda manager, worker, value: service_with().stop(value),
    "job-delay": lambda manager, worker, value: service_with(database=manager.engine.db).job("k", delay=value),
    "advance": lambda manager, worker, value: Clock().advance(value),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
async def test_an_invalid_duration_is_refused_by_coroutines(manager, worker, ask):
    for value in ("5m", -5, math.nan, math.inf):
        with pytest.raises(DurationError):
            await ask(manager, worker, value)
    assert (await manager.get_counts()).total == 0


REGISTERED = {
    "handler-timeout": lambda service, value: service.register_job_handler("k", print, timeout=value),
    "periodic-every": lambda service, value: service.register_periodic_job("p", job_key="known", every=value),
    "periodic-timeout": lambda service, value: service.register_periodic_job(
        "p", job_key="known", every=60, timeout=value
    ),
}


@pytest.mark.parametrize("register", REGISTERED.values(), ids=REGISTERED)
async def test_an_invalid_duration_is_refused_at_registration(worker, register):
    for value in ("5m", -5, 0, math.nan):
        with pytest.raises(DurationError):
            register(worker.service, value)
    assert not worker.context.periodic


async def test_a_periodic_job_takes_seconds(worker):
    worker.service.register_periodic_job("p", job_key="known", every=5)
    assert worker.context.periodic["p"].schedule == Every(timedelta(seconds=5))


async def test_other_durations_follow_the_same_rule(db):
    with pytest.raises(DurationError, match="lease"):
        engine_of(db, lease="30s")
    with pytest.raises(DurationError, match="throttle"):
        db.watch("SELECT 1", throttle=-1)
    with pytest.raises(tetherpy.ProviderError) as failed:
        cached_for("5m")
    assert isinstance(failed.value.__cause__, DurationError)


def test_the_error_contains_the_value_and_the_accepted_types():
    with pytest.raises(DurationError) as error:
        NewJob(job_key="k", delay="5m")
    assert str(error.value) == (
        "NewJob.delay is '5m'; it must be a timedelta or a number of seconds, such as timedelta(minutes=5) or 300."
    )
    with pytest.raises(DurationError, match=r"NewJob.delay is -5; it cannot be negative"):
        NewJob(job_key="k", delay=-5)
    assert (error.value.name, error.value.value) == ("NewJob.delay", "5m")


def test_a_value_whose_repr_raises_still_gives_the_error():
    class Unprintable:
        def __repr__(self):
            raise RuntimeError

    with pytest.raises(DurationError, match="Unprintable"):
        Snooze(Unprintable())


def test_these_tests_cover_every_duration_parameter_of_the_public_api():
    known = {name for _, name in PLAIN} | {"every", "timeout", "older_than", "delay", "duration", "throttle"}
    calls = [
        *(BackgroundService, run_worker, engine_of, NewJob, Backoff, Every, Snooze, StorageOptions, Clock, InlineJobs),
        *(
            JobNotifications,
            Database.open,
            Database.watch,
            PostgresDatabase.open,
            Clock.advance,
            tetherpy.Ref.cache_for,
        ),
        *(getattr(BackgroundJobManager, name) for name in dir(BackgroundJobManager) if name[0] != "_"),
        *(getattr(BackgroundService, name) for name in dir(BackgroundService) if name[0] != "_"),
        *(getattr(ServiceInstance, name) for name in dir(ServiceInstance) if name[0] != "_"),
    ]
    found = {
        parameter.name
        for call in calls
        if callable(call)
        for parameter in inspect.signature(call).parameters.values()
        if "timedelta" in str(parameter.annotation)
    }
    assert found <= known | {"elapsed", "lease"}, found - known


@pytest.mark.parametrize(
    ("seconds", "text", "shorter"),
    [
        (0, "0 ms", "0 ms"),
        (0.0123, "12 ms", "12 ms"),
        (0.9994, "999 ms", "999 ms"),
        (0.9999, "1 s", "1 s"),
        (1.55, "1.6 s", "1.6 s"),
        (59.94, "59.9 s", "59.9 s"),
        (59.96, "1 min", "1 min"),
        (61, "1 min 1 s", "1 min"),
        (3599.7, "1 h", "1 h"),
        (3661, "1 h 1 min", "1 h"),
        (90_000, "1 d 1 h", "1 d"),
        (86_400 * 1_000, "1,000 d", "1,000 d"),
    ],
)
def test_durations_are_written_in_their_largest_units(seconds: float, text: str, shorter: str) -> None:
    assert duration_text(seconds) == duration_text(timedelta(seconds=seconds)) == text
    assert duration_text(seconds, units=1) == shorter

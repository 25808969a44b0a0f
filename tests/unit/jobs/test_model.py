import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tetherpy.errors import DurationError
from tetherpy.jobs import (
    LEGAL_MOVES,
    BackgroundJobStatus,
    Backoff,
    CancelJob,
    JobCounts,
    JobPage,
    NewJob,
    Snooze,
    is_legal_move,
    state_diagram,
)
from tetherpy.jobs.storage.timestamps import from_text, to_text


@pytest.mark.parametrize(
    "options",
    [
        {"job_key": ""},
        {"queue": ""},
        {"max_attempts": 0},
        {"priority": 2**63},
        {"timeout": 0},
        {"timeout": timedelta(seconds=-1)},
        {"delay": 1, "run_at": datetime.now(UTC)},
        {"run_at": datetime(2030, 1, 1)},  # noqa: DTZ001
    ],
)
def test_invalid_jobs_are_refused_when_they_are_created(options):
    with pytest.raises(ValueError, match="NewJob"):
        NewJob(**{"job_key": "k", **options})


def test_seconds_and_timedeltas_are_equivalent():
    assert NewJob(job_key="k", delay=1.5, timeout=2) == NewJob(
        job_key="k", delay=timedelta(seconds=1.5), timeout=timedelta(seconds=2)
    )


def test_every_status_has_its_transitions_and_only_a_retry_leaves_an_end_state():
    assert set(LEGAL_MOVES) == set(BackgroundJobStatus)
    for status in BackgroundJobStatus:
        assert not is_legal_move(status, status)
        if status.is_finished:
            assert set(LEGAL_MOVES[status]) == {BackgroundJobStatus.PENDING}


def test_the_diagram_shows_exactly_the_legal_transitions():
    drawn = {
        tuple(line.split(":")[0].split(" --> "))
        for line in state_diagram().split("\n    ")
        if " --> " in line and "[*]" not in line
    }
    assert drawn == {(source.value, target.value) for source in LEGAL_MOVES for target in LEGAL_MOVES[source]}


def test_timestamps_have_one_width_and_sort_by_time():
    whole = datetime(2030, 1, 1, tzinfo=UTC)
    instants = [whole + timedelta(microseconds=n) for n in (0, 1, 999_999, 1_000_000)]
    texts = [to_text(instant) for instant in instants]
    assert texts == sorted(texts)
    assert {len(text) for text in texts} == {27}
    assert [from_text(text) for text in texts] == instants
    assert to_text(datetime(2030, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == texts[0]
    assert from_text("2030-01-01T00:00:00.000Z") == from_text("2030-01-01T00:00:00") == whole
    with pytest.raises(ValueError, match="time zone"):
        to_text(datetime(2030, 1, 1))  # noqa: DTZ001


def test_backoff_grows_to_its_maximum():
    backoff = Backoff(initial=timedelta(seconds=2), factor=3, maximum=timedelta(seconds=20), jitter=0)
    assert [backoff.delay(n).total_seconds() for n in (0, 1, 2, 3, 4)] == [2, 2, 6, 18, 20]
    assert backoff.delay(100_000) == timedelta(seconds=20)
    assert Backoff(initial=timedelta(0), jitter=0).delay(100_000) == timedelta(0)


def test_jitter_only_shortens_a_delay_and_its_randomness_is_injected():
    backoff = Backoff(initial=timedelta(seconds=10), jitter=0.5)
    assert backoff.delay(1, random=lambda: 0.0) == timedelta(seconds=10)
    assert backoff.delay(1, random=lambda: 0.5) == timedelta(seconds=7.5)
    waits = {backoff.delay(1, random=random.Random(n).random) for n in range(50)}
    assert len(waits) > 40
    assert timedelta(seconds=5) < min(waits) <= max(waits) <= timedelta(seconds=10)


@pytest.mark.parametrize(
    "options",
    [
        {"factor": 0.5},
        {"factor": float("inf")},
        {"factor": float("nan")},
        {"jitter": 2},
        {"initial": timedelta(seconds=-1)},
    ],
)
def test_an_invalid_backoff_is_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        Backoff(**options)


def test_snooze_accepts_timedeltas_and_seconds_that_are_not_negative():
    assert Snooze(2).delay == Snooze(timedelta(seconds=2)).delay
    assert CancelJob("enough").reason == "enough"
    with pytest.raises(DurationError, match="negative"):
        Snooze(-1)


def test_counts_have_a_total():
    counts = JobCounts(pending=1, failed=2, unknown=4)
    assert counts.total == 7
    assert counts.by_status[BackgroundJobStatus.FAILED] == 2


@pytest.mark.new_interpreter
def test_pages_with_other_cursors_differ():
    for same in (JobPage([], 1), []):
        assert JobPage([], 1) == same
        assert not JobPage([], 1) != same  # noqa: SIM202 - each operator by itself
    assert JobPage([], 1) != JobPage([], 2)
    assert not JobPage([], 1) == JobPage([], 2)  # noqa: SIM201 - each operator by itself


def test_a_worker_can_import_jobs_without_reactivex_or_cron():
    names = "from tetherpy.jobs import *"  # after a lazy import of each name
    code = f"import sys\n{names}\nprint([m for m in ('reactivex', 'cronsim') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("span", [timedelta.max, timedelta.min])
@pytest.mark.parametrize("field", ["delay", "timeout"])
def test_a_timedelta_beyond_the_calendar_is_refused(field, span):
    with pytest.raises(ValueError, match=field):
        NewJob(job_key="k", **{field: span})

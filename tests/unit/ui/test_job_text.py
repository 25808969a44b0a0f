"""Job texts for terminals."""

from datetime import UTC, datetime, timedelta

import pytest

from tetherpy.jobs import BackgroundJob, BackgroundJobStatus
from tetherpy.ui.textual.jobs.job_text import MARKS, at, bar, note

NOON = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)


def test_times_of_today_are_local_times_and_others_are_dates():
    assert at(NOON - timedelta(hours=1), lambda: NOON) == "11:00:00"
    assert at(NOON - timedelta(days=1), lambda: NOON) == "03.05.26"
    assert at(None, lambda: NOON) == ""


@pytest.mark.parametrize(("fraction", "filled"), [(None, 0), (-1.0, 0), (0.0, 0), (0.5, 4), (1.0, 8), (7.0, 8)])
def test_a_progress_bar_has_a_fixed_width_for_any_value(fraction, filled):
    assert bar(fraction, 8) == "━" * filled + "┄" * (8 - filled)


def job(status, **fields):
    times = dict.fromkeys(("created_at", "updated_at", "run_at"), NOON)
    return BackgroundJob(id=1, job_key="job", status=BackgroundJobStatus(status), **times, **fields)


@pytest.mark.parametrize(
    ("shown", "written"),
    [
        (job("PENDING", payload_json='{"a":1}'), '{"a":1}'),
        (job("PENDING", payload_json='{"a":1}', last_error="ValueError: no"), "ValueError: no"),
        (job("RUNNING"), ""),
        (job("RUNNING", progress_message="step 1"), "step 1"),
        (job("RUNNING", progress=0.5, progress_message="[b]\x1b[0m"), f"{bar(0.5, 12)}  50% [b]\\x1b[0m"),
        (job("RUNNING", progress=0.5, cancel_requested_at=NOON), "cancellation requested"),
        (job("COMPLETED", result_json="[1,2]"), "[1,2]"),
        (job("FAILED", last_error="first\nsecond"), "first second"),
        (job("CANCELLED"), ""),
    ],
)
def test_a_note_is_one_line_with_the_important_facts(shown, written):
    assert note(shown).plain == written


def test_every_state_has_its_own_symbol():
    assert set(MARKS) == set(BackgroundJobStatus)
    assert len({sign for sign, _ in MARKS.values()}) == len(MARKS)

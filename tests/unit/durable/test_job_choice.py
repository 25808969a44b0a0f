"""The decision table of a JobProvider: which job it shows, and when it enqueues one."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from tetherpy.durable.job_choice import ANSWERS, Answer, Found, Reason, Rules, answer, found
from tetherpy.jobs import BackgroundJob, BackgroundJobStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = BackgroundJob(
    id=1, job_key="report", status=BackgroundJobStatus.PENDING, created_at=NOW, updated_at=NOW, run_at=NOW
)

#               first   changed automatic manual
TABLE = """
NOTHING      -> RUN     RUN     RUN     RUN
UNFINISHED   -> SHOW    SHOW    SHOW    SHOW
LEFT         -> RUN     RUN     RUN     RUN
COMPLETED    -> SHOW    SHOW    SHOW    RUN
EXPIRED      -> RUN     RUN     RUN     RUN
FAILED       -> RUN     SHOW    SHOW    RUN
FAILED_FOR_GOOD -> SHOW SHOW    SHOW    RUN
CANCELLED    -> SHOW    SHOW    SHOW    RUN
"""


def test_the_table_covers_each_state_and_reason():
    rows = [line.split(" -> ") for line in TABLE.strip().splitlines()]
    expected = {
        (Found[state.strip()], reason): Answer[word]
        for state, words in rows
        for reason, word in zip(Reason, words.split(), strict=True)
    }
    assert expected == {(state, reason): answer(state, reason) for state in Found for reason in Reason}
    assert set(ANSWERS) == set(Found)


@pytest.mark.parametrize("cancels", [False, True])
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("status", BackgroundJobStatus)
@pytest.mark.parametrize("asked_to_stop", [False, True])
def test_a_cancelled_job_counts_as_left_unless_it_was_shown_as_cancelled(cancels, known, status, asked_to_stop):
    job = attrs.evolve(JOB, status=status, cancel_requested_at=NOW if asked_to_stop else None)
    state = found(job, Rules(cancel_on_dispose=cancels), NOW, known_as_cancelled=known)
    cancelled = status is BackgroundJobStatus.CANCELLED or (asked_to_stop and not status.is_finished)
    if cancels and not known and cancelled:
        assert state is Found.LEFT
    elif status.is_finished:
        assert state.name == status.name
    else:
        assert state is Found.UNFINISHED


def test_without_a_job_the_result_is_nothing():
    assert found(None, Rules(cancel_on_dispose=True), NOW, known_as_cancelled=False) is Found.NOTHING


@pytest.mark.parametrize(("status", "expected"), [("FAILED", Found.FAILED_FOR_GOOD), ("COMPLETED", Found.COMPLETED)])
def test_a_provider_may_keep_a_failed_job(status, expected):
    job = attrs.evolve(JOB, status=BackgroundJobStatus[status])
    assert found(job, Rules(retry_failed=False), NOW, known_as_cancelled=False) is expected


@pytest.mark.parametrize(("age", "expected"), [(60, Found.COMPLETED), (61, Found.EXPIRED)])
@pytest.mark.parametrize("status", [BackgroundJobStatus.COMPLETED, BackgroundJobStatus.RUNNING])
def test_a_result_expires_after_its_maximum_age(age, expected, status):
    job = attrs.evolve(JOB, status=status, finished_at=NOW if status.is_finished else None)
    state = found(job, Rules(max_age=timedelta(minutes=1)), NOW + timedelta(seconds=age), known_as_cancelled=False)
    assert state is (expected if status.is_finished else Found.UNFINISHED)

"""Values that charts show, derived from a timeline."""

from datetime import UTC, datetime, timedelta

import pytest

from tetherpy.jobs import BackgroundJobStatus, JobTimeline, JobTimes, percentile

COMPLETED, FAILED, PENDING, RUNNING = (
    BackgroundJobStatus.COMPLETED,
    BackgroundJobStatus.FAILED,
    BackgroundJobStatus.PENDING,
    BackgroundJobStatus.RUNNING,
)
START = datetime(2030, 1, 1, tzinfo=UTC)


def at(seconds):
    return START + timedelta(seconds=seconds)


def timeline(*jobs, unfinished=0):
    return JobTimeline(since=at(0), until=at(40), jobs=jobs, unfinished=unfinished, oldest_pending=None)


def test_the_interval_is_split_into_equal_bins_that_end_now():
    assert timeline().moments(4) == [at(10), at(20), at(30), at(40)]
    assert timeline().moments(2, start=at(-40)) == [at(0), at(40)]


def test_finished_jobs_are_counted_in_the_bin_of_their_end():
    jobs = [
        JobTimes(at(-5), at(0), at(1), COMPLETED),
        JobTimes(at(0), at(9), at(10), COMPLETED),
        JobTimes(at(0), at(9), at(10.5), FAILED),
        JobTimes(at(0), at(9), at(40), COMPLETED),
        JobTimes(at(0), at(39), None, RUNNING),
    ]
    moments = timeline().moments(4)
    assert timeline(*jobs).finished(moments, COMPLETED) == [2, 0, 0, 1]
    assert timeline(*jobs).finished(moments, FAILED, COMPLETED) == [2, 1, 0, 1]
    assert timeline(*jobs).finished([at(40)], COMPLETED) == [3]


def test_depth_is_the_maximum_number_of_unfinished_jobs():
    jobs = [
        JobTimes(at(-5), at(0), at(15), COMPLETED),
        JobTimes(at(5), at(5), at(25), FAILED),
        JobTimes(at(12), None, None, PENDING),
    ]
    seen = timeline(*jobs, unfinished=3)
    assert seen.depth([at(0), at(10), at(12), at(20), at(30), at(40)]) == [3, 4, 5, 5, 4, 3]


def test_a_peak_between_two_bins_is_included():
    jobs = [JobTimes(at(11), at(12), at(13), COMPLETED)] * 9
    assert timeline(*jobs).depth([at(0), at(10), at(20), at(30)]) == [0, 0, 9, 0]
    assert timeline(*jobs).depth([at(0)]) == [0]
    assert timeline().depth([at(0), at(10)]) == [0, 0]


def test_a_job_that_replaces_a_finished_one_does_not_add_to_the_depth():
    jobs = [JobTimes(at(-5), at(0), at(15), COMPLETED), JobTimes(at(15), at(16), at(20), COMPLETED)]
    assert timeline(*jobs).depth([at(0), at(20)]) == [1, 1]


def test_durations_are_those_of_last_attempts_that_ended_in_the_interval():
    jobs = [
        JobTimes(at(-50), at(-41), at(-40), COMPLETED),
        JobTimes(at(0), at(2), at(5), COMPLETED),
        JobTimes(at(0), at(1), at(2), FAILED),
        JobTimes(at(0), None, at(2), BackgroundJobStatus.CANCELLED),
        JobTimes(at(0), at(2), at(1), COMPLETED),
        JobTimes(at(0), at(2), None, RUNNING),
    ]
    assert timeline(*jobs).durations() == [timedelta(0), timedelta(seconds=1), timedelta(seconds=3)]


@pytest.mark.parametrize(("share", "expected"), [(0, 1), (0.05, 1), (0.5, 5), (0.95, 10), (0.9, 9), (1, 10)])
def test_percentiles_use_the_nearest_rank(share, expected):
    values = [timedelta(seconds=n) for n in range(1, 11)]
    assert percentile(values, share) == timedelta(seconds=expected)


def test_an_empty_list_has_no_percentile():
    assert percentile([], 0.5) is None

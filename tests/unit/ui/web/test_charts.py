from datetime import UTC, datetime, timedelta

from tetherpy.jobs import BackgroundJob, BackgroundJobStatus, JobAttempt, JobTimeline, JobTimes
from tetherpy.ui.web.pages.charts import AttemptChart, DepthChart, DurationChart, Throughput

COMPLETED, FAILED = BackgroundJobStatus.COMPLETED, BackgroundJobStatus.FAILED
NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
SPAN = timedelta(minutes=60)


def ago(minutes):
    return NOW - timedelta(minutes=minutes)


def timeline(*jobs, since=60, unfinished=0):
    return JobTimeline(since=ago(since), until=NOW, jobs=jobs, unfinished=unfinished, oldest_pending=None)


def done(minutes, status=COMPLETED, took=1.0):
    return JobTimes(ago(minutes + 1), ago(minutes) - timedelta(seconds=took), ago(minutes), status)


def test_throughput_is_shown_per_bar_and_per_minute():
    chart = Throughput.of(timeline(*[done(0.5)] * 3, done(0.5, FAILED), done(30.5)), SPAN)
    assert [(bar.x, bar.completed, bar.failed) for bar in chart.bars] == [(29, 0.25, 0.0), (59, 0.75, 0.25)]
    assert (chart.total, chart.failed, round(chart.per_minute, 3)) == (5, 1, 0.083)


def test_throughput_of_a_shortened_timeline_uses_its_interval():
    assert Throughput.of(timeline(*[done(1)] * 10, since=5), SPAN).per_minute == 2.0


def test_empty_data_has_charts():
    assert Throughput.of(timeline(), SPAN).bars == ()
    assert DurationChart.of(timeline()).count == 0
    assert DepthChart.of(timeline(), SPAN).highest == 0


def test_depth_ends_with_the_present_number_of_unfinished_jobs():
    chart = DepthChart.of(timeline(done(10), done(20), unfinished=4), SPAN)
    assert (chart.now, chart.highest, chart.is_cut) == (4, 5, False)
    assert chart.line.endswith("100.00,9.60")
    assert DepthChart.of(timeline(since=5), SPAN).is_cut


def test_durations_have_logarithmic_bins_and_percentiles():
    chart = DurationChart.of(
        timeline(*(done(1, took=0.01) for _ in range(90)), *(done(1, took=100) for _ in range(10)))
    )
    assert (chart.count, chart.p50, chart.p95) == (100, timedelta(seconds=0.01), timedelta(seconds=100))
    assert [each.count for each in chart.bins if each.count] == [90, 10]
    assert (round(chart.p50_x), round(chart.p95_x)) == (0, 100)
    assert DurationChart.of(timeline(done(1, took=0))).bins[0].count == 1


def job(**changes):
    values = {"id": 1, "job_key": "k", "status": COMPLETED, "created_at": ago(10), "updated_at": NOW, "run_at": ago(10)}
    return BackgroundJob(**{**values, **changes})


def attempt(start, end=None, outcome="failed"):
    return JobAttempt(
        job_id=1,
        attempt=1,
        worker="w",
        started_at=ago(start),
        finished_at=None if end is None else ago(end),
        outcome=None if end is None else outcome,
    )


def test_attempts_are_placed_on_the_lifetime_of_their_job():
    chart = AttemptChart.of(job(finished_at=ago(0)), [attempt(8, 6), attempt(5, 0, "completed")], NOW, ago(10))
    assert [(bar.x, bar.width, bar.outcome) for bar in chart.bars] == [(20, 20, "failed"), (50, 50, "completed")]


def test_a_running_attempt_ends_now_and_a_short_one_is_visible():
    chart = AttemptChart.of(job(status=BackgroundJobStatus.RUNNING), [attempt(10, 10), attempt(5)], NOW, ago(10))
    assert [(bar.x, bar.width, bar.outcome) for bar in chart.bars] == [(0, 0.6, "failed"), (50, 50, "running")]


def test_clock_differences_draw_nothing_outside_the_chart():
    chart = AttemptChart.of(job(created_at=NOW), [attempt(8, 6), attempt(-5)], NOW, NOW)
    assert [(bar.x, bar.width) for bar in chart.bars] == [(0, 100), (100, 0.6)]

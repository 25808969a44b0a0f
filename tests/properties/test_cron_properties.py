"""Cron ticks in every time zone: a schedule is the set of its ticks, whenever one asks for the next."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st

from tetherpy.jobs import Cron, Every, last_tick

ZONES = sorted(available_timezones() - {"Factory", "localtime"})
MINUTES = st.sampled_from(["0", "30", "*/20", "15,45", "*", "59", "1-58/7"])
HOURS = st.sampled_from(["0", "1", "2", "3", "23", "*", "*/2", "1-3", "0,1,2,23"])
CRONS = st.builds(lambda minute, hour: f"{minute} {hour} * * *", MINUTES, HOURS)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def changes_of(zone, year):
    """Return the moments of a year at which a zone's clocks change, to the hour."""
    hours = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(0, 366 * 24, 12)]
    offsets = [hour.astimezone(zone).utcoffset() for hour in hours]
    return [hour for hour, before, after in zip(hours, offsets, offsets[1:], strict=False) if before != after]


@st.composite
def moments_near_changes(draw):
    zone = draw(st.sampled_from(ZONES))
    moment = draw(MOMENTS)
    changes = changes_of(ZoneInfo(zone), moment.year)
    if changes:
        moment = draw(st.sampled_from(changes)) + timedelta(seconds=draw(st.integers(-4 * 3600, 16 * 3600)))
    return zone, moment


@settings(deadline=None, max_examples=60)
@given(expression=CRONS, place=moments_near_changes(), later=st.timedeltas(timedelta(0), timedelta(hours=6)))
def test_the_next_tick_is_later_and_the_same_for_all_earlier_times(expression, place, later):
    zone, moment = place
    cron = Cron(expression, zone)
    tick = cron.next_after(moment)
    assert tick > moment
    following = cron.next_after(moment + later)
    assert following >= tick
    if moment + later < tick:
        assert following == tick
    assert cron.next_after(tick) > tick
    assert last_tick(cron, tick) == tick
    assert last_tick(cron, cron.next_after(tick) - timedelta(microseconds=1)) == tick


@settings(deadline=None, max_examples=100)
@given(expression=CRONS, place=moments_near_changes())
def test_local_time_matches_the_expression_or_jumps_over_it(expression, place):
    zone, moment = place
    tick = Cron(expression, zone).next_after(moment)
    shown = tick.astimezone(ZoneInfo(zone))
    # Read as in UTC, where no clock changes, the expression ticks at the time that the clocks show.
    just_before = shown.replace(tzinfo=UTC) - timedelta(seconds=1)
    fits = Cron(expression).next_after(just_before) == shown.replace(tzinfo=UTC)
    jumped = (tick - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).utcoffset() < shown.utcoffset()
    assert fits or jumped


@settings(deadline=None, max_examples=100)
@given(seconds=st.floats(0.001, 1e7), moment=MOMENTS)
def test_intervals_tick_later_and_the_last_tick_is_the_previous_one(seconds, moment):
    every = Every(seconds)
    tick = every.next_after(moment)
    assert moment < tick <= moment + every.interval
    assert last_tick(every, moment) == tick - every.interval

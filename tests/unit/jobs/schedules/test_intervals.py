from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tetherpy.jobs import Cron, Every, ScheduleError


def ticks(schedule, moment, count):
    found = []
    for _ in range(count):
        moment = schedule.next_after(moment)
        found.append(moment)
    return found


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_daily_tick_follows_local_time_over_both_clock_changes():
    cron = Cron("30 12 * * *", "Europe/Berlin")
    assert ticks(cron, at("2026-03-28T00:00"), 2) == [at("2026-03-28T11:30"), at("2026-03-29T10:30")]
    assert ticks(cron, at("2026-10-24T00:00"), 2) == [at("2026-10-24T10:30"), at("2026-10-25T11:30")]


def test_a_tick_in_the_skipped_hour_occurs_once_right_after_it():
    # On 2026-03-29 Berlin's clocks change from 02:00 to 03:00, at 01:00 UTC.
    assert ticks(Cron("30 2 * * *", "Europe/Berlin"), at("2026-03-28T12:00"), 2) == [
        at("2026-03-29T01:00"),
        at("2026-03-30T00:30"),
    ]


def test_a_tick_in_the_repeated_hour_occurs_once():
    # On 2026-10-25 Berlin's clocks go from 03:00 back to 02:00: 02:30 comes at 00:30 and 01:30 UTC.
    found = ticks(Cron("30 2 * * *", "Europe/Berlin"), at("2026-10-24T12:00"), 2)
    assert found[0] == at("2026-10-25T00:30")
    assert found[1] == at("2026-10-26T01:30")


@pytest.mark.parametrize("start", ["2026-03-28T23:00", "2026-10-24T23:00"])
def test_a_wildcard_follows_elapsed_time(start):
    found = ticks(Cron("*/15 * * * *", "Europe/Berlin"), at(start), 16)
    assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(minutes=15)}


def test_the_next_tick_is_later_than_the_given_time():
    cron = Cron("0 3 * * *")
    assert cron.next_after(at("2026-01-01T03:00")) == at("2026-01-02T03:00")


@pytest.mark.parametrize(
    ("expression", "zone"),
    [
        ("61 * * * *", "UTC"),
        ("soon", "UTC"),
        ("0 3 * * *", "Mars/Base"),
        ("0 3 * * *", "Europe"),
        ("0 3 * * *", ""),
        ("0 0 31 2 *", "UTC"),
    ],
)
def test_an_invalid_schedule_is_refused_when_it_is_created(expression, zone):
    with pytest.raises(ScheduleError):
        Cron(expression, zone)


def test_interval_ticks_do_not_depend_on_the_time_of_the_call():
    every = Every(timedelta(minutes=5))
    assert every.next_after(at("2026-01-01T00:01")) == every.next_after(at("2026-01-01T00:04:59"))
    assert every.next_after(at("2026-01-01T00:05")) == at("2026-01-01T00:10")
    with pytest.raises(ValueError, match="interval"):
        Every(timedelta(0))


# On 2026-10-25 Berlin's clocks show 02:00 to 03:00 twice: from 00:00 and from 01:00 UTC.
REPEATED = [at("2026-10-25T00:00") + timedelta(minutes=5 * n) for n in range(25)]


@pytest.mark.parametrize("expression", ["30 2 * * *", "*/20 2 * * *", "0 * * * *", "15 1-3 * * *", "45 1 * * *"])
def test_in_the_repeated_hour_the_next_tick_is_in_the_future(expression):
    cron = Cron(expression, "Europe/Berlin")
    found = [cron.next_after(moment) for moment in REPEATED]
    assert all(tick > moment for tick, moment in zip(found, REPEATED, strict=True))
    assert found == sorted(found)


def test_clock_changes_of_half_an_hour_or_a_day_are_supported():
    # Lord Howe Island goes back from 02:00 to 01:30, and Samoa left out the whole of 2011-12-30.
    howe = Cron("45 1 * * *", "Australia/Lord_Howe")
    assert ticks(howe, at("2026-04-04T14:00"), 2) == [at("2026-04-04T14:45"), at("2026-04-05T15:15")]
    samoa = Cron("0 12 * * *", "Pacific/Apia")
    assert ticks(samoa, at("2011-12-29T12:00"), 3) == [
        at("2011-12-29T22:00"),
        at("2011-12-30T10:00"),
        at("2011-12-30T22:00"),
    ]


@pytest.mark.parametrize("expression", ["* * * * * *", "0 0 3 * * *", "@daily", "* * * *", "", "0 0 * * 1L/2", 5, None])
def test_an_expression_has_five_fields(expression):
    with pytest.raises(ScheduleError, match="five cron fields"):
        Cron(expression)


def test_a_time_without_a_time_zone_is_refused():
    for schedule in (Cron("0 3 * * *"), Every(60)):
        with pytest.raises(ValueError, match="time zone"):
            schedule.next_after(datetime(2026, 1, 1))  # noqa: DTZ001

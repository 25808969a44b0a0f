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


def test_a_daily_tick_follows_local_time_over_both_changes_of_the_clock():
    cron = Cron("30 12 * * *", "Europe/Berlin")
    assert ticks(cron, at("2026-03-28T00:00"), 2) == [at("2026-03-28T11:30"), at("2026-03-29T10:30")]
    assert ticks(cron, at("2026-10-24T00:00"), 2) == [at("2026-10-24T10:30"), at("2026-10-25T11:30")]


def test_a_tick_in_the_gap_happens_once_right_after_it():
    # On 2026-03-29 Berlin's clocks go from 02:00 to 03:00, which is 01:00 UTC.
    assert ticks(Cron("30 2 * * *", "Europe/Berlin"), at("2026-03-28T12:00"), 2) == [
        at("2026-03-29T01:00"),
        at("2026-03-30T00:30"),
    ]


def test_a_tick_in_the_repeated_hour_happens_once():
    # On 2026-10-25 Berlin's clocks go from 03:00 back to 02:00: 02:30 comes at 00:30 and 01:30 UTC.
    found = ticks(Cron("30 2 * * *", "Europe/Berlin"), at("2026-10-24T12:00"), 2)
    assert found[0] == at("2026-10-25T00:30")
    assert found[1] == at("2026-10-26T01:30")


@pytest.mark.parametrize("start", ["2026-03-28T23:00", "2026-10-24T23:00"])
def test_a_wildcard_follows_the_time_that_passes(start):
    found = ticks(Cron("*/15 * * * *", "Europe/Berlin"), at(start), 16)
    assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(minutes=15)}


def test_a_tick_is_strictly_later_than_the_moment():
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
def test_what_is_no_schedule_says_so_when_it_is_made(expression, zone):
    with pytest.raises(ScheduleError):
        Cron(expression, zone)


def test_intervals_agree_whenever_one_asks():
    every = Every(timedelta(minutes=5))
    assert every.next_after(at("2026-01-01T00:01")) == every.next_after(at("2026-01-01T00:04:59"))
    assert every.next_after(at("2026-01-01T00:05")) == at("2026-01-01T00:10")
    with pytest.raises(ValueError, match="interval"):
        Every(timedelta(0))

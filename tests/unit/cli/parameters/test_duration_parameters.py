from datetime import UTC, datetime, timedelta

import pytest
import typer

from tetherpy.cli.parameters.durations import ago, instant, read_duration, read_instant, write_duration

NOW = datetime(2030, 1, 31, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("90", 90),
        ("90s", 90),
        ("1.5h", 5400),
        ("15m", 900),
        ("15 min", 900),
        ("12H", 43200),
        ("7d", 604800),
        ("2w", 1209600),
    ],
)
def test_durations_are_parsed(text, seconds):
    assert read_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("seconds", [0, 0.5, 1, 90, 2592000, 10**9, 0.000001])
def test_formatted_durations_can_be_parsed_again(seconds):
    assert read_duration(write_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "d", "-1d", "1 fortnight", "1d2h", "9" * 40, "nan", "1e9s", "१d"])
def test_invalid_durations_are_refused(text):
    with pytest.raises(typer.BadParameter):
        read_duration(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2030-01-31T09:00Z", NOW),
        ("2030-01-31T10:00:00+01:00", NOW),
        ("2030-01-31 09:00:00.5Z", NOW + timedelta(milliseconds=500)),
    ],
)
def test_instants_are_parsed(text, moment):
    assert read_instant(text) == moment


def test_an_instant_without_an_offset_is_local():
    assert read_instant("2030-01-31T09:00") == datetime(2030, 1, 31, 9).astimezone()


@pytest.mark.parametrize("text", ["", "tomorrow", "2030-13-01", "9" * 30])
def test_invalid_instants_are_refused(text):
    with pytest.raises(typer.BadParameter):
        read_instant(text)


def test_formatted_instants_have_one_width():
    assert instant(NOW) == "2030-01-31T09:00:00.000000Z"
    assert instant(None) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 ms"), (0.4, "400 ms"), (59, "59 s"), (90, "1 min"), (3600, "1 h"), (86400 * 400, "400 d")],
)
def test_a_distance_from_now_has_its_largest_unit(seconds, text):
    assert ago(NOW - timedelta(seconds=seconds), NOW) == f"{text} ago"
    assert seconds == 0 or ago(NOW + timedelta(seconds=seconds), NOW) == f"in {text}"

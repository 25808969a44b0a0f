from datetime import UTC, datetime, timedelta, timezone

import pytest

from tetherpy.ui.web.pages.jinja_filters import compact, instant, iso, json_text, number, span


@pytest.mark.parametrize(
    ("seconds", "text"), [(3661, "1 h 1 min"), (None, "\N{EN DASH}"), (float("inf"), "\N{EN DASH}")]
)
def test_a_duration_without_an_end_is_a_dash(seconds, text):
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.44, "0.4"),
        (7, "7"),
        (43.6, "44"),
        (999, "999"),
        (1000, "1k"),
        (12_540, "12.5k"),
        (123_456, "123k"),
        (2e6, "2M"),
    ],
)
def test_compact_numbers_have_at_most_four_characters(value, text):
    assert compact(value) == text


def test_thousands_are_separated():
    assert number(1234567).replace("\N{NARROW NO-BREAK SPACE}", " ") == "1 234 567"


def test_instants_are_shown_in_utc():
    moment = datetime(2030, 1, 2, 3, 4, 5, 678_901, tzinfo=timezone(timedelta(hours=2)))
    assert instant(moment) == "2030-01-02 01:04:05 UTC"
    assert iso(moment) == "2030-01-02T01:04:05.678Z"
    assert datetime.fromisoformat(iso(moment)).astimezone(UTC) < moment


def test_json_is_indented_and_other_text_is_unchanged():
    assert json_text('{"a":[1,2]}') == '{\n  "a": [\n    1,\n    2\n  ]\n}'
    assert json_text("{not json") == "{not json"
    assert json_text(None) == ""
    assert len(json_text('"' + "x" * 500_000 + '"')) < 101_000
    assert "\x1b" not in json_text('"\x1b[2J"')

"""Hostile text is displayed in bounded length and never interpreted."""

import pytest

from tetherpy.safe_text import one_line, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Grüße, 世界 🙂", "Grüße, 世界 🙂"),
        ("[red]markup[/] & <b>", "[red]markup[/] & <b>"),
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("\x9b31m \x7f", r"\x9b31m \x7f"),
        ("safe\u202eevil", r"safe\u202eevil"),
        ("lone \ud800", r"lone \ud800"),
        ("a\tb\r\nc\rd", "a    b\nc\\x0dd"),
    ],
)
def test_control_characters_are_escaped(text, shown):
    assert plain(text) == shown
    plain(text).encode()


def test_long_text_keeps_its_start_and_its_end():
    shown = plain("a" * 500 + "z" * 500, limit=90)
    assert shown.startswith("a" * 60 + "\n")
    assert shown.endswith("\n" + "z" * 30)
    assert "910 characters left out" in shown


def test_text_is_converted_to_one_line_of_limited_length():
    assert one_line("first\nsecond\t third") == "first second third"
    assert one_line("x" * 1_000, limit=10) == "x" * 9 + "…"
    assert one_line("\x1b[2J") == r"\x1b[2J"

import pytest

from tetherpy.service.execution.failure_text import MAX_ERROR, MAX_TRACEBACK, describe, describe_traceback


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no")


def test_the_text_has_type_and_message():
    assert describe(ValueError("no such file")) == "ValueError: no such file"
    assert describe(KeyError()) == "KeyError"


def test_characters_that_cannot_be_stored_are_escaped():
    assert describe(ValueError("\ud800\0é")) == "ValueError: \\ud800\\x00é"


def test_an_error_in_str_does_not_hide_the_failure():
    assert describe(Unprintable()) == "Unprintable: <its message raised RuntimeError>"
    assert "Unprintable" in describe_traceback(Unprintable())


def test_the_length_of_a_failure_text_is_limited():
    assert len(describe(ValueError("x" * 1_000_000))) == MAX_ERROR
    assert len(describe_traceback(ValueError("x" * 1_000_000))) < MAX_TRACEBACK + 100


def test_the_traceback_starts_at_the_handler_and_includes_the_cause():
    def handler():
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ValueError("outer") from error

    def library():
        try:
            handler()
        except ValueError as error:
            return describe_traceback(error)
        raise AssertionError

    text = library()
    assert "in handler" in text
    assert "in library" not in text
    assert text.index("KeyError: 'inner'") < text.index("ValueError: outer")


def test_infinite_recursion_gives_a_short_text():
    def handler():
        handler()

    with pytest.raises(RecursionError) as caught:
        handler()
    assert len(describe_traceback(caught.value)) < MAX_TRACEBACK + 100

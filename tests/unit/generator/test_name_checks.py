"""Names and texts as Python source."""

import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tetherpy.generator.name_checks import snake_case
from tetherpy.generator.python_source import literal


@given(st.text())
def test_a_literal_evaluates_to_its_text(text):
    assert ast.literal_eval(literal(text)) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", '"plain"'),
        ('say "hi"', "'say \"hi\"'"),
        ("it's", '"it\'s"'),
        ("a\n\\", '"a\\n\\\\"'),
        ("'\"", '"\'\\""'),
    ],
)
def test_a_literal_is_quoted_like_formatted_code(text, written):
    assert literal(text) == written


@given(st.text())
def test_a_job_key_gives_a_valid_identifier_or_none(key):
    name = snake_case(key)
    if name:
        (function,) = ast.parse(f"def enqueue_{name}(): ...").body
        assert function.name == f"enqueue_{name}"
        assert re.fullmatch(r"\w+", name)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("greet", "greet"),
        ("sendEmail", "send_email"),
        ("send-email", "send_email"),
        ("2nd try", "2nd_try"),
        ("--", ""),
        ("\ufb01le", "file"),
        ("\u0130d", "i_d"),
    ],
)
def test_a_job_key_is_converted_to_the_end_of_a_function_name(key, name):
    assert snake_case(key) == name

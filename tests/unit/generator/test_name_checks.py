"""How names and texts become Python."""

import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tetherpy.generator.name_checks import snake_case
from tetherpy.generator.python_source import literal


@given(st.text())
def test_a_literal_means_the_text(text):
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
def test_a_literal_is_quoted_as_formatters_do(text, written):
    assert literal(text) == written


@given(st.text())
def test_a_name_is_one_that_python_takes_as_it_is_written(key):
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
def test_a_job_key_becomes_the_end_of_a_function_name(key, name):
    assert snake_case(key) == name

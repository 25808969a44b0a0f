"""What names of packages, places in code and jobs must look like."""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata
from typing import Any

from .errors import SettingValueError

_PLACE = "It is 'module:name', such as '{example}'."
_TAKEN = sys.stdlib_module_names | {"tetherpy"}
_NOT_IN_A_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def is_dotted_name(text: str) -> bool:
    """Tell whether Python could import a module of this name, written as it is here."""
    return all(
        part.isidentifier() and not keyword.iskeyword(part) and _normal(part) == part for part in text.split(".")
    )


def check_package(_: object, __: Any, value: str) -> None:
    """Raise SettingValueError unless the value can name a package of an app."""
    if not is_dotted_name(value):
        raise SettingValueError(
            value,
            f"{value!r} cannot name a Python package. Use letters, digits and '_', such as 'providers', and no "
            "word of Python's own.",
        )
    top = value.partition(".")[0]
    if top in _TAKEN:
        raise SettingValueError(
            value, f"A package {value!r} would hide Python's or tetherpy's {top!r}. Use another name."
        )


def check_callback(_: object, __: Any, value: str) -> None:
    """Raise SettingValueError unless the value is the place of a function."""
    _check(value, "worker:initialize")


def check_payload(_: object, __: Any, value: str) -> None:
    """Raise SettingValueError unless the value is the place of a class."""
    _check(value, "worker:Greeting")


def check_migrations(_: object, __: Any, value: str) -> None:
    """Raise SettingValueError unless the value is the place of a list of migrations."""
    _check(value, "schema:MIGRATIONS")


def _check(value: str, example: str) -> None:
    module, colon, name = value.partition(":")
    if not (colon and is_dotted_name(module) and is_dotted_name(name)):
        raise SettingValueError(value, f"{value!r} is no place in Python code. {_PLACE.format(example=example)}")


def check_database(_: object, __: Any, value: str) -> None:
    """Raise SettingValueError unless the value can be a path or a URL."""
    if not value:
        raise SettingValueError(value, "No database has an empty path. Name a file, such as 'app.db'.")
    check_line(_, __, value)


def check_line(_: object, __: Any, value: str) -> None:
    """Raise SettingValueError unless the value is one line of text."""
    if (found := _NOT_IN_A_LINE.search(value)) is not None:
        raise SettingValueError(value, f"{found[0]!r} cannot be in here. Write one line of text.")


def check_job_key(_: object, __: Any, value: str) -> None:
    """Raise SettingValueError unless a function can be named after the value."""
    check_line(_, __, value)
    if not snake_case(value):
        raise SettingValueError(value, f"No function can be named after {value!r}. Use letters and digits.")


def snake_case(key: str) -> str:
    """Return a job's key as the end of a function's name; empty if it has nothing to make one of."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", _normal(key))
    name = re.sub(r"\W+", "_", _normal(words.lower())).strip("_")
    return name if f"_{name}".isidentifier() else ""


def _normal(text: str) -> str:
    """Return a name as Python takes it."""
    return unicodedata.normalize("NFKC", text)

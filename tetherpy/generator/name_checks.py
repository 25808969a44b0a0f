"""Validators for names of packages, callbacks and jobs."""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata
from typing import Any

from .errors import SettingValueError

_PLACE = "Use 'module:name', such as '{example}'."
_TAKEN = sys.stdlib_module_names | {"tetherpy"}
_NOT_IN_A_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def is_dotted_name(text: str) -> bool:
    """Whether a text is a valid, normalized module name."""
    return all(
        part.isidentifier() and not keyword.iskeyword(part) and _normal(part) == part for part in text.split(".")
    )


def check_package(_: object, __: Any, value: str) -> None:
    """Raise SettingValueError unless the value is a valid package name for an app."""
    if not is_dotted_name(value):
        raise SettingValueError(
            value,
            f"{value!r} is not a valid name of a Python package. Use letters, digits and '_', such as 'providers', "
            "and no keyword.",
        )
    top = value.partition(".")[0]
    if top in _TAKEN:
        raise SettingValueError(
            value, f"A package {value!r} would hide {top!r} of Python or tetherpy. Use another name."
        )


def check_callback(_: object, __: Any, value: str) -> None:
    """Raise SettingValueError unless the value has the form ``module:function``."""
    _check(value, "worker:initialize")


def check_payload(_: object, __: Any, value: str) -> None:
    """Raise SettingValueError unless the value has the form ``module:Class``."""
    _check(value, "worker:Greeting")


def check_migrations(_: object, __: Any, value: str) -> None:
    """Raise SettingValueError unless the value has the form ``module:name``, for a list of migrations."""
    _check(value, "schema:MIGRATIONS")


def _check(value: str, example: str) -> None:
    module, colon, name = value.partition(":")
    if not (colon and is_dotted_name(module) and is_dotted_name(name)):
        raise SettingValueError(value, f"{value!r} is not valid. {_PLACE.format(example=example)}")


def check_database(_: object, __: Any, value: str) -> None:
    """Raise SettingValueError unless the value is a path or a URL."""
    if not value:
        raise SettingValueError(value, "The path of the database is empty. Use the path of a file, such as 'app.db'.")
    check_line(_, __, value)


def check_line(_: object, __: Any, value: str) -> None:
    """Raise SettingValueError unless the value is one line of text."""
    if (found := _NOT_IN_A_LINE.search(value)) is not None:
        raise SettingValueError(value, f"The character {found[0]!r} is not allowed. Use one line of text.")


def check_log_level(_: object, __: Any, value: str) -> None:
    """Raise SettingValueError unless the value is the name of a level of ``logging``."""
    _check_choice(value, ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))


def check_log_format(_: object, __: Any, value: str) -> None:
    """Raise SettingValueError unless the value is a format of the log."""
    _check_choice(value, ("text", "json"))


def _check_choice(value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SettingValueError(value, f"{value!r} is not one of {', '.join(known)}.")


def check_job_key(_: object, __: Any, value: str) -> None:
    """Raise SettingValueError unless the value can be part of a function name."""
    check_line(_, __, value)
    if not snake_case(value):
        raise SettingValueError(value, f"{value!r} cannot be part of a function name. Use letters and digits.")


def snake_case(key: str) -> str:
    """Return a job key in snake case; empty if it has no letters or digits."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", _normal(key))
    name = re.sub(r"\W+", "_", _normal(words.lower())).strip("_")
    return name if f"_{name}".isidentifier() else ""


def _normal(text: str) -> str:
    """Return a name in Python's normalization (NFKC)."""
    return unicodedata.normalize("NFKC", text)

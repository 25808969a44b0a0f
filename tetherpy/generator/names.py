"""What names of packages, places in code and jobs must look like, and how they are written in Python."""

from __future__ import annotations

import keyword
import re
from typing import Any

_PLACE = "It is 'module:name', such as 'worker:{example}'."


def is_dotted_name(text: str) -> bool:
    """Tell whether Python could import a module of this name."""
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in text.split("."))


def check_package(_: object, __: Any, value: str) -> None:
    """Raise ValueError unless the value names a package."""
    if not is_dotted_name(value):
        raise ValueError(f"{value!r} cannot name a Python package. Use letters, digits and '_', such as 'providers'.")


def check_callback(_: object, __: Any, value: str) -> None:
    """Raise ValueError unless the value is the place of a function."""
    _check(value, "initialize")


def check_place(_: object, __: Any, value: str) -> None:
    """Raise ValueError unless the value is the place of a class."""
    _check(value, "Greeting")


def _check(value: str, example: str) -> None:
    module, colon, name = value.partition(":")
    if not (colon and is_dotted_name(module) and is_dotted_name(name)):
        raise ValueError(f"{value!r} is no place in Python code. {_PLACE.format(example=example)}")


def check_database(_: object, __: Any, value: str) -> None:
    """Raise ValueError unless the value can be a path or a URL."""
    if not value or "\0" in value:
        raise ValueError(f"{value!r} is no path of a database. Name a file, such as 'app.db'.")


def check_text(_: object, __: Any, value: str) -> None:
    """Raise ValueError unless the value is a line of text."""
    if not value.isprintable():
        raise ValueError(f"{value!r} has characters that cannot be shown. Write one line of text.")


def snake_case(key: str) -> str | None:
    """Return a job's key as the end of a function's name; None if it has nothing to make one of."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)
    name = re.sub(r"\W+", "_", words).strip("_").lower()
    return name if f"_{name}".isidentifier() and name else None


def literal(text: str) -> str:
    """Write a text as Python source, quoted as formatters do: with the quotes that need fewer escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    body = repr(f"{text}'\"")[1:-4]  # both kinds are in it, so repr uses single quotes and escapes those
    body = body.replace("\\'", "'")
    return quote + body.replace(quote, f"\\{quote}") + quote

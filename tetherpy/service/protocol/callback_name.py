"""The name of the initialization callback, with which a worker imports it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import reduce
from typing import Any

from ..errors import CallbackNameError

_NAME_PARTS = 2


def name_of(callback: str | Callable[..., Any]) -> str:
    """Return the name of a callback, ``"module:qualname"``; raises ``CallbackNameError`` without one."""
    if isinstance(callback, str):
        parts = callback.split(":")
        if len(parts) != _NAME_PARTS or not all(_is_dotted_name(part) for part in parts):
            raise CallbackNameError(callback, "it is not of the form module:function")
        return callback
    module: str | None = getattr(callback, "__module__", None)
    qualname: str | None = getattr(callback, "__qualname__", None)
    if not module or not qualname:
        raise CallbackNameError(callback, "it has no name that another process could import")
    if module == "__main__":
        raise CallbackNameError(
            callback, "it is defined in the main script, which another process cannot import by name"
        )
    if not _is_dotted_name(qualname):
        raise CallbackNameError(callback, "it is a lambda or is defined inside another function")
    return f"{module}:{qualname}"


def label_of(callback: str | Callable[..., Any]) -> str:
    """Return the name of a callback, also of a function that another process cannot import.

    Raises ``CallbackNameError`` for a text that is no name.
    """
    if isinstance(callback, str):
        return name_of(callback)
    return f"{getattr(callback, '__module__', '?')}:{getattr(callback, '__qualname__', repr(callback))}"


def resolve(name: str) -> Callable[..., Any]:
    """Import the function with a name; errors of the import pass through."""
    module_name, _, path = name.partition(":")
    module = importlib.import_module(module_name)
    try:
        function: object = reduce(getattr, path.split("."), module)
    except AttributeError as error:
        raise CallbackNameError(name, f"{module.__name__} has no {path}") from error
    if not callable(function):
        raise CallbackNameError(name, f"it is a {type(function).__name__} and cannot be called")
    return function


def _is_dotted_name(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))

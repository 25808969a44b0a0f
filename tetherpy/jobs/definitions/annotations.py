"""The annotations of a handler: the type of its payload and of its result."""

from __future__ import annotations

import collections.abc
import inspect
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, get_args, get_origin, get_type_hints

from ..errors import JobDefinitionError

_PARAMETERS = ("service", "payload", "db")
_RETURN = "return"
_AWAITABLE = (collections.abc.Awaitable, collections.abc.Coroutine)


def plain_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function inside partials and decorators, or the ``__call__`` of an object."""
    while isinstance(function, partial):
        function = function.func
    if inspect.isroutine(function):
        unwrapped: Callable[..., Any] = inspect.unwrap(function)
        return unwrapped
    return type(function).__call__


def payload_parameter(job_key: str, function: Callable[..., Any]) -> inspect.Parameter:
    """Return the parameter for a handler's payload.

    Raises ``JobDefinitionError`` if the handler cannot be called with (service, payload, db).
    """
    try:
        signature = inspect.signature(function)
        signature.bind(*_PARAMETERS)
    except (TypeError, ValueError) as error:
        reason = f"a handler is called with ({', '.join(_PARAMETERS)}), and this one cannot be ({error})"
        raise JobDefinitionError(job_key, reason) from error
    parameters = list(signature.parameters.values())
    return parameters[min(1, len(parameters) - 1)]


def payload_annotation(job_key: str, function: Callable[..., Any]) -> Any:
    """Return the annotation of a handler's payload, ``Any`` without one.

    Raises ``JobDefinitionError`` as ``payload_parameter`` does, and for an annotation that cannot be resolved.
    """
    parameter = payload_parameter(job_key, function)
    if parameter.annotation is inspect.Parameter.empty or parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return Any
    return _resolved(job_key, function, parameter.name, "payload")


def result_annotation(job_key: str, function: Callable[..., Any]) -> Any:
    """Return the annotation of a handler's result, ``Any`` without one.

    Raises ``JobDefinitionError`` for an annotation that cannot be resolved.
    """
    annotation = _resolved(job_key, function, _RETURN, "result")
    awaited = get_args(annotation) if get_origin(annotation) in _AWAITABLE else ()
    return awaited[-1] if awaited else annotation


def _resolved(job_key: str, function: Callable[..., Any], name: str, part: str) -> Any:
    plain = plain_function(function)
    annotation: Any = "?"
    try:
        annotation = plain.__annotations__.get(name, Any)
        # One annotation only: the others may name types that are imported for type checkers.
        holder = SimpleNamespace(__annotations__={name: annotation}, __wrapped__=plain)
        found = get_type_hints(holder, include_extras=True)[name]
    except Exception as error:
        reason = (
            f"the annotation {annotation!r} of its {part} cannot be resolved "
            f"({type(error).__name__}: {error}); import its names outside TYPE_CHECKING"
        )
        raise JobDefinitionError(job_key, reason) from error
    return None if found is type(None) else found

"""The registry of job handlers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, get_type_hints

import attrs

from tetherpy.durations import to_optional_span
from tetherpy.jobs import BackgroundJob, Backoff, find_undecodable

from ..errors import HandlerRegistrationError, NoSuchHandlerError

_PLAIN = (Any, None, dict, list, str, int, float, bool)
_PARAMETERS = "(service, payload, db)"


@attrs.frozen
class JobHandler:
    """One handler and its options.

    ``annotation`` is the type that payloads are decoded to; ``timeout`` bounds an attempt of a job without a timeout.
    ``is_async`` is True for a function that is called in the loop; any other one is called in a thread, and its
    result is awaited if it is awaitable.
    """

    key: str
    function: Callable[..., Any]
    annotation: Any
    is_async: bool
    retry: Backoff
    timeout: timedelta | None

    def payload_of(self, job: BackgroundJob) -> Any:
        """Decode a job's payload; raises ``PayloadDecodeError`` with the path of the invalid value."""
        return job.payload_as(self.annotation)


@attrs.define
class HandlerRegistry:
    """Find the handler of a job key."""

    _handlers: dict[str, JobHandler] = attrs.field(init=False, factory=dict[str, JobHandler])

    def add(
        self, key: str, function: Callable[..., Any], retry: Backoff | None, timeout: timedelta | float | None
    ) -> None:
        """Register a handler; raises ``HandlerRegistrationError`` if it cannot be called with the arguments of one."""
        _check_key(key)
        if key in self._handlers:
            raise HandlerRegistrationError(key, "it has a handler already; a key has one handler")
        self._handlers[key] = JobHandler(
            key=key,
            function=function,
            annotation=_decodable(key, payload_annotation(key, function)),
            is_async=_is_async(key, function),
            retry=retry or Backoff(),
            timeout=to_optional_span("timeout", timeout, positive=True),
        )

    @property
    def keys(self) -> frozenset[str]:
        """Return the job keys that have a handler."""
        return frozenset(self._handlers)

    @property
    def all(self) -> tuple[JobHandler, ...]:
        """Return the handlers in the order of their registration."""
        return tuple(self._handlers.values())

    def find(self, key: str) -> JobHandler:
        """Return the handler of a key; raises ``NoSuchHandlerError`` with the registered keys."""
        try:
            return self._handlers[key]
        except KeyError:
            raise NoSuchHandlerError(key, tuple(sorted(self._handlers))) from None


def _check_key(key: object) -> None:
    if not isinstance(key, str) or not key:
        raise HandlerRegistrationError(str(key), "its job key must be a str that is not empty")


def _decodable(key: str, annotation: Any) -> Any:
    reason = None if annotation in _PLAIN else find_undecodable(annotation)
    if reason is not None:
        raise HandlerRegistrationError(key, f"no payload can be decoded to {annotation!r}: {reason}")
    return annotation


def payload_annotation(key: str, function: Callable[..., Any]) -> Any:
    """Return the annotation of a handler's payload, ``Any`` without one."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
        inspect.signature(function).bind(*_PARAMETERS.split(","))
    except (TypeError, ValueError) as error:
        reason = f"a handler is called with {_PARAMETERS}, and this one cannot be ({error})"
        raise HandlerRegistrationError(key, reason) from error
    position = parameters[min(1, len(parameters) - 1)]
    if position.annotation is inspect.Parameter.empty or position.kind is inspect.Parameter.VAR_POSITIONAL:
        return Any
    try:
        return get_type_hints(_plain(function), include_extras=True).get(position.name, Any)
    except Exception as error:
        reason = (
            f"the annotation {position.annotation!r} of its payload cannot be resolved "
            f"({type(error).__name__}: {error}); import its names outside TYPE_CHECKING"
        )
        raise HandlerRegistrationError(key, reason) from error


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    while isinstance(function, partial):
        function = function.func
    if inspect.isroutine(function):
        unwrapped: Callable[..., Any] = inspect.unwrap(function)
        return unwrapped
    return type(function).__call__


def _is_async(key: str, function: Callable[..., Any]) -> bool:
    plain = _plain(function)
    if inspect.isasyncgenfunction(plain) or inspect.isgeneratorfunction(plain):
        raise HandlerRegistrationError(key, "it is a generator; a handler returns its result")
    # The function inside a decorator does not matter: the wrapper may await it, block on it, or return its coroutine.
    while isinstance(function, partial):
        function = function.func
    return inspect.iscoroutinefunction(function if inspect.isroutine(function) else type(function).__call__)

"""The registry of job handlers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from types import ModuleType
from typing import Any

import attrs

from tetherpy.durations import to_optional_span
from tetherpy.jobs import BackgroundJob, Backoff, JobDefinition, JobDefinitionError, payload_annotation, plain_function
from tetherpy.json_codec import find_undecodable

from ..errors import HandlerRegistrationError, NoSuchHandlerError

_PLAIN = (Any, None, dict, list, str, int, float, bool)


@attrs.frozen
class JobHandler:
    """One handler and its options.

    ``annotation`` is the type that payloads are decoded to; ``timeout`` bounds an attempt of a job without a timeout.
    ``is_async`` is True for a function that is called in the loop; any other one is called in a thread, and its
    result is awaited if it is awaitable. ``takes_sync`` is True if it is called with the synchronous service and
    database: it is no ``async def``, and wraps none.
    """

    job_key: str
    function: Callable[..., Any]
    annotation: Any
    is_async: bool
    takes_sync: bool
    retry: Backoff
    timeout: timedelta | None
    definition: JobDefinition[Any, Any] | None = None

    def payload_of(self, job: BackgroundJob) -> Any:
        """Decode a job's payload; raises ``PayloadDecodeError`` with the path of the invalid value."""
        return job.payload_as(self.annotation)


@attrs.define
class HandlerRegistry:
    """Find the handler of a job key."""

    _handlers: dict[str, JobHandler] = attrs.field(init=False, factory=dict[str, JobHandler])

    def add(
        self,
        job_key: str,
        function: Callable[..., Any],
        retry: Backoff | None,
        timeout: timedelta | float | None,
        definition: JobDefinition[Any, Any] | None = None,
    ) -> None:
        """Register a handler; raises ``HandlerRegistrationError`` if it cannot be called with the arguments of one."""
        _check_key(job_key)
        if job_key in self._handlers:
            raise HandlerRegistrationError(job_key, "it has a handler already; a key has one handler")
        self._handlers[job_key] = JobHandler(
            job_key=job_key,
            function=function,
            annotation=_decodable(job_key, "payload", _payload_type(job_key, function, definition)),
            is_async=_is_async(job_key, function),
            takes_sync=not inspect.iscoroutinefunction(plain_function(function)),
            retry=retry or Backoff(),
            timeout=to_optional_span("timeout", timeout, positive=True),
            definition=definition,
        )

    def add_definition(self, definition: JobDefinition[Any, Any]) -> None:
        """Register the handler of a definition, once however often it is given; errors as ``add``."""
        job_key, function = definition.job_key, definition.function
        known = self._handlers.get(job_key)
        if known is not None and known.definition is definition:
            return
        if function is None:
            raise HandlerRegistrationError(
                job_key, "its definition has no handler; decorate one with @definition.handler, and import its module"
            )
        options = definition.options
        retry = options.get("retry")
        if retry is not None:
            # The number of attempts is an option of each job, and a call may have given another one.
            retry = attrs.evolve(retry, max_attempts=None)
        self.add(job_key, function, retry, options.get("timeout"), definition)
        _decodable(job_key, "result", definition.result_type)

    @property
    def keys(self) -> frozenset[str]:
        """Return the job keys that have a handler."""
        return frozenset(self._handlers)

    @property
    def all(self) -> tuple[JobHandler, ...]:
        """Return the handlers in the order of their registration."""
        return tuple(self._handlers.values())

    def find(self, job_key: str) -> JobHandler:
        """Return the handler of a key; raises ``NoSuchHandlerError`` with the registered keys."""
        try:
            return self._handlers[job_key]
        except KeyError:
            raise NoSuchHandlerError(job_key, tuple(sorted(self._handlers))) from None


def definitions_in(jobs: Iterable[JobDefinition[Any, Any] | ModuleType]) -> list[JobDefinition[Any, Any]]:
    """Return the definitions given, and those of the modules given in the order of their names' assignment."""
    found: list[JobDefinition[Any, Any]] = []
    for job in jobs:
        if isinstance(job, ModuleType):
            inside: list[JobDefinition[Any, Any]] = [
                value for value in vars(job).values() if isinstance(value, JobDefinition)
            ]
            if not inside:
                raise HandlerRegistrationError(job.__name__, "the module has no JobDefinition")
            found += inside
        elif isinstance(job, JobDefinition):  # pyright: ignore[reportUnnecessaryIsInstance]
            found.append(job)
        else:
            raise HandlerRegistrationError(f"{job!r:.80}", "register_jobs takes JobDefinitions and modules")
    return found


def _check_key(job_key: object) -> None:
    if not isinstance(job_key, str) or not job_key:
        raise HandlerRegistrationError(str(job_key), "its job key must be a str that is not empty")


def _payload_type(job_key: str, function: Callable[..., Any], definition: JobDefinition[Any, Any] | None) -> Any:
    try:
        return payload_annotation(job_key, function) if definition is None else definition.payload_type
    except JobDefinitionError as error:
        raise HandlerRegistrationError(job_key, error.reason) from error


def _decodable(job_key: str, part: str, annotation: Any) -> Any:
    reason = None if annotation in _PLAIN else find_undecodable(annotation)
    if reason is not None:
        raise HandlerRegistrationError(job_key, f"no {part} can be decoded to {annotation!r}: {reason}")
    return annotation


def _is_async(job_key: str, function: Callable[..., Any]) -> bool:
    plain = plain_function(function)
    if inspect.isasyncgenfunction(plain) or inspect.isgeneratorfunction(plain):
        raise HandlerRegistrationError(job_key, "it is a generator; a handler returns its result")
    # The function inside a decorator does not matter: the wrapper may await it, block on it, or return its coroutine.
    while isinstance(function, partial):
        function = function.func
    return inspect.iscoroutinefunction(function if inspect.isroutine(function) else type(function).__call__)

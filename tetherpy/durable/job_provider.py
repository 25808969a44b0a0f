"""``JobProvider``: a provider whose value is a durable job.

It enqueues its job once, is loading (with the job's progress) while a worker runs it, and holds its result
afterwards. The job is found again by its unique key, which is made of the provider's name, the job key, the type of
the result, the payload, and the version: after a restart of the app, the same provider shows the same job, running or
finished.
``job_choice`` has the rule that decides which job is shown and when a new one is enqueued.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar, Concatenate, Generic, ParamSpec, TypeVar, Unpack, overload

from tetherpy.durations import to_span
from tetherpy.jobs import JobDefinition, JobOptions
from tetherpy.reactive import Family, ProviderOptions, Ref, StateStreamProviderBase, make_options

from .job_choice import Rules
from .job_declaration import JobDeclaration, Memory
from .manager_source import ManagerSource

T = TypeVar("T")
J = TypeVar("J")
P = ParamSpec("P")


class JobProviderOptions(JobOptions, total=False):
    """The options of a JobProvider; each may be omitted."""

    name: str | None
    auto_dispose: bool
    cancel_on_dispose: bool
    retry_failed: bool
    max_age: timedelta | float | None
    dependencies: Iterable[Any] | None
    scope: str | None


def _declared(
    job: str | JobDefinition[Any, Any],
    result: Any,
    manager: ManagerSource,
    *,
    name: str | None = None,
    auto_dispose: bool = False,
    cancel_on_dispose: bool = False,
    retry_failed: bool = True,
    max_age: timedelta | float | None = None,
    dependencies: Iterable[Any] | None = None,
    scope: str | None = None,
    **options: Unpack[JobOptions],
) -> tuple[JobDeclaration[Any], ProviderOptions]:
    rules = Rules(
        cancel_on_dispose=cancel_on_dispose,
        retry_failed=retry_failed,
        max_age=None if max_age is None else to_span("max_age", max_age),
    )
    declaration = JobDeclaration[Any].of(job, name, result, manager, rules, options)
    return declaration, make_options(declaration.name, auto_dispose, dependencies, None, scope)


def _constant(payload: object) -> Callable[[Ref], object]:
    return lambda _: payload


class JobProvider(StateStreamProviderBase[T], Generic[T]):
    """A value that a background job computes, watched as an AsyncValue.

    Args:
        job_key: the definition of the job, or the key of its handler.
        payload: the payload of the job, or a function that makes it from a Ref and may watch other providers.
        result: the type that the result is decoded to; a definition has it.
        manager: the ``Provider`` or ``FutureProvider`` of the app's BackgroundJobManager; with the latter the value is
            loading until the manager is open.
        name: shown in messages and part of the job's identity; the job key by default.
        auto_dispose: dispose the value when it has no users; the job itself continues.
        cancel_on_dispose: cancel the job, if it has not ended, when the value is disposed and no other provider of
            this process watches it. Other processes that watch it see it cancelled.
        retry_failed: enqueue a new job when the value is built for the first time in a container, as at the start of
            the app, and its latest job has failed.
        max_age: how long a result is valid (seconds or timedelta), from the end of its job. A build that finds an
            older one enqueues a new job; a value that is shown does not end.
        dependencies: the scoped providers it uses.
        scope: it lives in the nearest container of this scope.
        options: those of the job, such as ``priority`` or ``timeout``; see ``NewJob``. A definition has the others.
    """

    __slots__ = ()

    family: ClassVar[JobProviderFamily]

    @overload
    def __init__(
        self,
        job: JobDefinition[J, T],
        /,
        *,
        payload: J | Callable[[Ref], J],
        manager: ManagerSource,
        **options: Unpack[JobProviderOptions],
    ) -> None: ...
    @overload
    def __init__(
        self,
        job: JobDefinition[J | None, T],
        /,
        *,
        payload: None = None,
        manager: ManagerSource,
        **options: Unpack[JobProviderOptions],
    ) -> None: ...
    @overload
    def __init__(
        self,
        job_key: str,
        *,
        result: type[T],
        manager: ManagerSource,
        payload: object | Callable[[Ref], object] = None,
        **options: Unpack[JobProviderOptions],
    ) -> None: ...
    def __init__(
        self,
        job_key: str | JobDefinition[Any, T],
        *,
        manager: ManagerSource,
        payload: Any = None,
        result: Any = Any,
        **options: Unpack[JobProviderOptions],
    ) -> None:
        job, settings = _declared(job_key, result, manager, **options)
        super().__init__(job.bound_to(payload if callable(payload) else _constant(payload)))
        self.settings = settings

    def attach_with(self, element: Any, create: Callable[..., AsyncIterable[Any]]) -> None:
        """Prepare an element with a function of a Ref, and with a memory of what its builds have shown."""
        super().attach_with(element, partial(create, memory=Memory()))


class JobProviderFamily:
    """Declares families of JobProviders: ``JobProvider.family("report", payload=lambda ref, year: ..., ...)``."""

    __slots__ = ()

    @overload
    def __call__(
        self,
        job: JobDefinition[J, T],
        /,
        *,
        payload: Callable[Concatenate[Ref, P], J],
        manager: ManagerSource,
        **options: Unpack[JobProviderOptions],
    ) -> Family[P, Callable[Concatenate[Ref, P], J], JobProvider[T]]: ...
    @overload
    def __call__(
        self,
        job_key: str,
        *,
        payload: Callable[Concatenate[Ref, P], object],
        result: type[T],
        manager: ManagerSource,
        **options: Unpack[JobProviderOptions],
    ) -> Family[P, Callable[Concatenate[Ref, P], object], JobProvider[T]]: ...
    def __call__(
        self,
        job_key: str | JobDefinition[Any, Any],
        *,
        payload: Callable[..., Any],
        manager: ManagerSource,
        result: Any = Any,
        **options: Unpack[JobProviderOptions],
    ) -> Any:
        """Declare a family; its arguments are those of ``payload`` after ``ref``, and so is its identity."""
        job, settings = _declared(job_key, result, manager, **options)

        def make(create: Callable[..., Any], options: ProviderOptions, membership: Any) -> JobProvider[Any]:
            return JobProvider[Any].made(job.bound_to(create), options, membership)

        family: Family[Any, Any, JobProvider[Any]] = Family(payload, settings, make, passes_ref=True)
        return family


JobProvider.family = JobProviderFamily()

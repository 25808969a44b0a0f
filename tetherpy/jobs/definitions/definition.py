"""``JobDefinition``: the key, the types and the options of a job, said once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar, Unpack, cast, get_origin, overload

import attrs

from tetherpy.database import AppTransaction

from ..errors import JobArgumentError, JobDefinitionError
from ..model import DefinitionOptions, EnqueueOptions, NewJob, NewJobOptions
from ..schedules.backoff import Backoff
from .annotations import payload_annotation, payload_parameter, result_annotation
from .handler import B, Handler, P, R, S, SyncHandler
from .job_id import JobId

if TYPE_CHECKING:
    from typing_extensions import TypeVar as DefaultTypeVar

    DP = DefaultTypeVar("DP", default=Any)
    DR = DefaultTypeVar("DR", default=Any)
else:
    DP = TypeVar("DP")
    DR = TypeVar("DR")

FROM_HANDLER: Final[Any] = "the annotations of the handler"
_EXCLUDING: Final[Mapping[str, str]] = {"delay": "run_at", "run_at": "delay"}


class _Enqueues(Protocol):
    async def enqueue_many(
        self, jobs: Iterable[NewJob[R]], *, transaction: AppTransaction | None = None
    ) -> list[JobId[R]]: ...


@attrs.define(eq=False)
class _HandlerSlot:
    function: Callable[..., Any] | None = None
    _types: dict[object, Any] = attrs.field(init=False, factory=dict[object, Any])

    def fill(self, function: Callable[..., Any]) -> None:
        self.function = function
        self._types.clear()

    def type_from(self, annotation: Callable[[str, Callable[..., Any]], Any], job_key: str) -> Any:
        """Resolve an annotation of the handler once, because each new job needs the type of its result."""
        if annotation not in self._types:
            assert self.function is not None  # background_job sets it
            self._types[annotation] = annotation(job_key, self.function)
        return self._types[annotation]


@attrs.frozen(init=False, eq=False)
class JobDefinition(Generic[DP, DR]):
    """Declare a job: its key, the types of its payload and result, and its options.

    App and worker import the same definition, and a type checker checks both sides against it. Without ``payload`` the
    job has none; without ``result`` its handler returns None. The options are those of ``enqueue``, for each job,
    and ``retry``; a call may override them. Jobs that are enqueued by key alone get its ``timeout`` too.

    Raises ``JobArgumentError`` or ``DurationError`` for an invalid option, ``JobDefinitionError`` for a payload or
    result that is not a type.
    """

    job_key: str
    options: DefinitionOptions
    _payload: Any = attrs.field(repr=False)
    _result: Any = attrs.field(repr=False)
    _handler: _HandlerSlot = attrs.field(repr=False)

    @overload
    def __init__(
        self: JobDefinition[None, None],
        job_key: str,
        *,
        payload: None = None,
        result: None = None,
        **options: Unpack[DefinitionOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: JobDefinition[P, None],
        job_key: str,
        *,
        payload: type[P],
        result: None = None,
        **options: Unpack[DefinitionOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: JobDefinition[None, R],
        job_key: str,
        *,
        payload: None = None,
        result: type[R],
        **options: Unpack[DefinitionOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: JobDefinition[P, R],
        job_key: str,
        *,
        payload: type[P],
        result: type[R],
        **options: Unpack[DefinitionOptions],
    ) -> None: ...
    def __init__(
        self, job_key: str, *, payload: Any = None, result: Any = None, **options: Unpack[DefinitionOptions]
    ) -> None:
        for name, given in (("payload", payload), ("result", result)):
            _check_type(job_key, name, given)
        _check_retry(options.get("retry"))
        made: Any = self
        made.__attrs_init__(job_key, options, payload, result, _HandlerSlot())
        # Checks the key and the options, so that the error names the line of the definition.
        whole: Any = {**self._job_options({}), "retry": options.get("retry")}
        NewJob(job_key=job_key, **whole)

    @property
    def payload_type(self) -> Any:
        """Return the type of the payload; None if the job has none."""
        if self._payload is FROM_HANDLER:
            return self._handler.type_from(payload_annotation, self.job_key)
        return self._payload

    @property
    def result_type(self) -> Any:
        """Return the type of the result; None if it has none."""
        if self._result is FROM_HANDLER:
            return self._handler.type_from(result_annotation, self.job_key)
        return self._result

    @property
    def function(self) -> Callable[[Any, DP, Any], Any] | None:
        """Return the handler, None if there is none in this process."""
        return self._handler.function

    @overload
    def handler(self, function: Handler[S, DP, DR], /) -> Handler[S, DP, DR]: ...
    @overload
    def handler(self, function: SyncHandler[B, DP, DR], /) -> SyncHandler[B, DP, DR]: ...
    def handler(self, function: Callable[..., Any], /) -> Callable[..., Any]:
        """Decorate the handler, which is called with (service, payload, db), and return it unchanged.

        A function of the same name replaces it, as when a module is loaded again. Another one is a
        ``JobDefinitionError``, and so is one with other parameters.
        """
        payload_parameter(self.job_key, function)
        previous = self._handler.function
        if previous is not None and _name(previous) != _name(function):
            raise JobDefinitionError(
                self.job_key, f"it has the handler {_name(previous)} already, so {_name(function)} is one too many"
            )
        self._handler.fill(function)
        return function

    @overload
    def new(self, payload: DP, **options: Unpack[NewJobOptions]) -> NewJob[DR]: ...
    @overload
    def new(self: JobDefinition[P | None, R], payload: None = None, **options: Unpack[NewJobOptions]) -> NewJob[R]: ...
    def new(self, payload: Any = None, **options: Unpack[NewJobOptions]) -> NewJob[Any]:
        """Return a job to enqueue; the options override those of the definition."""
        return NewJob(job_key=self.job_key, payload=payload, result_type=self.result_type, **self._job_options(options))

    @overload
    async def enqueue(self, manager: _Enqueues, payload: DP, **options: Unpack[EnqueueOptions]) -> JobId[DR]: ...
    @overload
    async def enqueue(
        self: JobDefinition[P | None, R], manager: _Enqueues, payload: None = None, **options: Unpack[EnqueueOptions]
    ) -> JobId[R]: ...
    async def enqueue(self, manager: _Enqueues, payload: Any = None, **options: Any) -> JobId[Any]:
        """Enqueue a job with a manager; the same as ``manager.enqueue(definition, payload)``."""
        transaction = options.pop("transaction", None)
        jobs: list[NewJob[Any]] = [self.new(payload, **options)]
        (job_id,) = await manager.enqueue_many(jobs, transaction=transaction)
        return job_id

    if TYPE_CHECKING:

        def _enqueue(self, payload: DP, **options: Unpack[EnqueueOptions]) -> JobId[DR]:
            """Have the arguments that ``Enqueueable`` describes."""
            ...

    def job_id(self, number: int) -> JobId[DR]:
        """Return a number, such as one from a table of the app, as the id of a job of this definition."""
        return JobId(number, self.job_key, self.result_type)

    def _job_options(self, overrides: NewJobOptions) -> NewJobOptions:
        options = {
            name: value
            for name, value in self.options.items()
            if name != "retry" and overrides.get(_EXCLUDING.get(name, "")) is None
        }
        retry, own = self.options.get("retry"), overrides.get("retry")
        if own is not None and own.max_attempts is not None:
            options.pop("max_attempts", None)
        elif retry is not None and retry.max_attempts is not None:
            options.setdefault("max_attempts", retry.max_attempts)
        merged: dict[str, Any] = {**options, **overrides}
        return cast("NewJobOptions", merged)


def _check_retry(retry: object) -> None:
    if not isinstance(retry, Backoff | None):
        raise JobArgumentError("JobDefinition.retry", retry, "it must be a Backoff")


def _check_type(job_key: str, name: str, given: Any) -> None:
    if given is None or given is Any or given is FROM_HANDLER or isinstance(given, type):
        return
    if get_origin(given) is None:
        raise JobDefinitionError(job_key, f"its {name} is {given!r:.60}, and not a type")


def _name(function: Callable[..., Any]) -> str:
    module = getattr(function, "__module__", "?")
    return f"{module}.{getattr(function, '__qualname__', repr(function))}"

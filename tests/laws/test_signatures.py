"""Every public signature follows the conventions of docs/reference/api-conventions.md.

A new function that names a parameter differently, or takes a duration or a status in one form only, fails here.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple, is_typeddict

import attrs

from tests.laws.imports import modules
from tetherpy.jobs import BackgroundJobManager, JobQuery, ListOptions

FACADES = [name for name, path in modules().items() if path.name == "__init__.py"]


class Parameter(NamedTuple):
    """A parameter of a public function, or a key of its ``**options``."""

    owner: str
    name: str
    annotation: str
    kind: Any
    default: Any
    of_record: bool
    """Whether only the library makes the values of this class: errors, and results of calls."""

    @property
    def parts(self) -> set[str]:
        return {part.strip() for part in self.annotation.split("|")}

    def __str__(self) -> str:
        return f"{self.owner}({self.name}: {self.annotation})"


RECORDS = {
    "AckAndFetch", "BackgroundJob", "BackgroundServices", "Change", "Database", "Edge", "Explanation", "Failed",
    "HandlerInfo", "JobPage", "JobTimeline", "JobTimes", "MigrationState", "PeriodicInfo", "PersistedData",
    "PostgresTransaction", "Progress", "ProviderObserverContext", "ProviderOptions", "ServiceManifest",
    "ServiceSettings", "ServiceState", "Transaction",
}  # fmt: skip
"""Results of calls; a program reads their fields and does not construct them."""

DURATION = re.compile(
    r"(?:^|_)(?:timeout|delay|lease|older_than|retention|throttle|interval|every|duration|grace|cache_time|time_limit"
    r"|seconds|milliseconds|ms|minutes|period|max_age)$"
)
STORAGES = ("Storage.", "SqliteStorage.", "InMemoryStorage.", ".persist")
"""Owners of ``key``, the key of a storage."""
POSITIONAL = {
    "ServiceBase.set_foreground_notification_info": "the seed has both by position",
    "ServiceBase.report_progress": "the fraction and its message belong together",
    "ProviderOptions": "made for every provider",
    "make_options": "made for every provider",
    "ack_and_fetch": "the one statement of a busy worker",
}
"""Functions with more than one optional argument by position, each with its reason."""


@cache
def functions() -> dict[str, tuple[Callable[..., Any], bool]]:
    """Return the public functions by qualified name, each with whether it constructs a record."""
    found: dict[str, tuple[Callable[..., Any], bool]] = {}
    for facade in FACADES:
        module = import_module(facade)
        for name in module.__all__:
            value = getattr(module, name)
            if not getattr(value, "__module__", "").startswith("tetherpy"):
                continue
            if inspect.isclass(value):
                found.update(methods(value))
            elif inspect.isroutine(value):
                found[f"{value.__module__}.{name}"] = value, False
    return found


def methods(public: type) -> Iterator[tuple[str, tuple[Callable[..., Any], bool]]]:
    record = issubclass(public, BaseException) or public.__name__ in RECORDS
    for base in public.__mro__:
        if not base.__module__.startswith("tetherpy") or base.__name__.startswith("_"):
            continue
        for name, value in vars(base).items():
            function = (
                inspect.unwrap(getattr(value, "__func__", value))
                if callable(value) or hasattr(value, "__func__")
                else value
            )
            if inspect.isfunction(function) and is_public(public, name, function):
                yield f"{base.__module__}.{base.__qualname__}.{name}", (function, record and name == "__init__")


def is_public(public: type, name: str, function: Callable[..., Any]) -> bool:
    if name == "__init__":
        return "typing" not in function.__module__  # the constructor of a protocol
    foreign = (base for base in public.__mro__ if not base.__module__.startswith("tetherpy"))
    return not name.startswith("_") and not any(name in vars(base) for base in foreign)


@cache
def parameters() -> tuple[Parameter, ...]:
    return tuple(
        Parameter(owner, each.name, text(each.annotation), each.kind, each.default, record)
        for owner, (function, record) in functions().items()
        for each in list(inspect.signature(function).parameters.values())[is_method(owner, function) :]
    ) + tuple(
        Parameter(f"{options.__module__}.{name}", key, text(annotation), inspect.Parameter.KEYWORD_ONLY, None, False)
        for facade in FACADES
        for name in import_module(facade).__all__
        if is_typeddict(options := getattr(import_module(facade), name))
        for key, annotation in inspect.get_annotations(options).items()
    )


def is_method(owner: str, function: Callable[..., Any]) -> bool:
    return next(iter(inspect.signature(function).parameters), "") in {"self", "cls"}


def text(annotation: Any) -> str:
    written = (
        annotation
        if isinstance(annotation, str)
        else getattr(annotation, "__forward_arg__", None) or inspect.formatannotation(annotation)
    )
    return re.sub(r"\b(?:[a-z_0-9]+\.)+(?=\w)", "", written)


def broken(rule: Callable[[Parameter], bool]) -> list[str]:
    return sorted({str(parameter) for parameter in parameters() if rule(parameter)})


def test_the_signatures_are_read() -> None:
    names = {parameter.name for parameter in parameters()}
    assert {"address", "job_key", "busy_timeout", "clock", "unique_key", "transaction", "retry"} <= names
    assert len(functions()) > 500


def test_every_function_is_documented() -> None:
    assert not [
        name
        for name, (function, _) in functions().items()
        if not name.endswith("__init__") and not inspect.getdoc(function)
    ]


def test_every_parameter_and_result_is_annotated() -> None:
    assert not broken(lambda it: it.annotation in {"", "_empty"})
    assert not [name for name, (function, _) in functions().items() if "return" not in function.__annotations__]


def test_every_duration_is_seconds_or_a_timedelta() -> None:
    def is_duration(it: Parameter) -> bool:
        return bool(DURATION.search(it.name)) or "timedelta" in it.parts

    assert not broken(lambda it: is_duration(it) and not it.of_record and not {"timedelta", "float"} <= it.parts)
    assert not broken(
        lambda it: bool(re.search(r"(?:^|_)(?:seconds|milliseconds|ms|minutes)$", it.name)) and not it.of_record
    )


def test_every_status_may_be_text() -> None:
    assert not broken(lambda it: "BackgroundJobStatus" in it.parts and not it.of_record and "str" not in it.parts)


def test_a_database_that_a_call_opens_is_an_address() -> None:
    def opens(it: Parameter) -> bool:
        return "Address" in it.parts or {"str", "PathLike[str]"} <= it.parts

    only_files = {"Database.open", "SqliteStorage.open"}
    of_two_databases = {"source", "target"}
    assert not broken(
        lambda it: (
            opens(it) and it.name not in {"address", *of_two_databases} and not it.owner.endswith(tuple(only_files))
        )
    )
    assert not broken(lambda it: bool(re.search(r"db_path|_or_url|dsn", it.name)))


def test_a_job_key_is_called_job_key() -> None:
    in_reactive = "tetherpy.reactive."  # its keys are those of storages and mutations
    generated = "tetherpy.generator."  # its keys are those of tether.yaml
    assert not broken(
        lambda it: (
            it.name == "key"
            and not it.owner.startswith((in_reactive, generated))
            and not any(owner in it.owner for owner in STORAGES)
        )
    )


def test_there_is_one_clock() -> None:
    assert [name for name in FACADES if "Clock" in import_module(name).__all__] == ["tetherpy.testing"]
    clocks = {"Callable[[], datetime]", "WallClock", "Clock", "None"}
    assert not broken(lambda it: it.name == "clock" and not it.parts <= clocks)


def test_waiting_for_a_lock_is_called_busy_timeout() -> None:
    assert not broken(lambda it: "busy" in it.name and it.name != "busy_timeout" and "Callable" not in it.annotation)


def test_options_are_keyword_arguments() -> None:
    def is_option(it: Parameter) -> bool:
        return it.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD and it.default is not inspect.Parameter.empty

    options: dict[str, list[Parameter]] = {}
    for parameter in parameters():
        if is_option(parameter) and not parameter.of_record:
            options.setdefault(parameter.owner, []).append(parameter)
    known = tuple(POSITIONAL)
    several = [
        f"{owner}({', '.join(each.name for each in given)})"
        for owner, given in options.items()
        if (len(given) > 1 or given[0].annotation == "bool") and not any(name in owner for name in known)
    ]
    assert not several


def test_lists_of_jobs_have_the_same_defaults() -> None:
    assert (JobQuery().limit, JobQuery().order_by_creation) == (100, "DESC")
    lists = {
        name: inspect.signature(function)
        for name, function in inspect.getmembers(BackgroundJobManager, inspect.isfunction)
        if "JobPage" in str(function.__annotations__.get("return", ""))
    }
    assert {"find_jobs", "get_all_jobs", "get_jobs_by_status", "watch_jobs", "watch_jobs_by_status"} <= set(lists)
    for name, signature in lists.items():
        *_, last = signature.parameters.values()
        assert str(last.annotation) in {"JobQuery", "Unpack[ListOptions]"}, name
    options = inspect.get_annotations(ListOptions)
    assert set(options) <= {field.name for field in attrs.fields(JobQuery)}

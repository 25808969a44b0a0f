"""The options of a job as options of a command."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar, cast

import attrs
import typer

from tetherpy.jobs import OPTIONS, JobOption, NewJobOptions, OptionKind

from .added_options import with_options
from .durations import read_duration, read_instant
from .integers import integer_between
from .pairs import read_pairs

F = TypeVar("F", bound=Callable[..., Any])


@attrs.frozen
class _Input:
    """The input of a kind of options: its type and metavar, a hint for the help, and its parser for an option."""

    type: Any
    metavar: str | None = None
    hint: str = ""
    parser: Callable[[JobOption], Callable[[str], Any] | None] = lambda _: None


_INPUTS: Mapping[OptionKind, _Input] = {
    "integer": _Input(
        int,
        "NUMBER",
        parser=lambda option: integer_between() if option.least is None else integer_between(option.least),
    ),
    "text": _Input(str),
    "duration": _Input(timedelta, "DURATION", ", such as 15m", lambda _: read_duration),
    "instant": _Input(datetime, "INSTANT", ", in ISO 8601", lambda _: read_instant),
    "pairs": _Input(list[str], "KEY=VALUE", "; may be repeated"),
}
_OPTIONS = tuple(option for option in OPTIONS if option.kind in _INPUTS)


def with_job_options(command: F) -> F:
    """Decorate a command that takes ``**options``: give it one option for each of a job, before its keyword options."""
    return with_options(
        command,
        (
            inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_annotation(option))
            for option in _OPTIONS
        ),
    )


def read_job_options(given: Mapping[str, Any]) -> NewJobOptions:
    """Return the options that were given on the command line."""
    options = {option.name: given.get(option.name) for option in _OPTIONS}
    for option in _OPTIONS:
        if option.kind == "pairs":
            options[option.name] = read_pairs(options[option.name] or ())
    return cast("NewJobOptions", {name: value for name, value in options.items() if value is not None})


def _annotation(option: JobOption) -> Any:
    accepted = _INPUTS[option.kind]
    default = "" if option.default is None else f"; {option.default!r} by default"
    info = typer.Option(
        parser=accepted.parser(option), metavar=accepted.metavar, help=f"{option.help}{accepted.hint}{default}."
    )
    return Annotated[accepted.type | None, info]

"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import Parameter, signature
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


def with_options(command: F, options: Iterable[Parameter]) -> F:
    """Give a command that takes ``**options`` keyword parameters, before its own ones; return the command."""
    declared = signature(command, eval_str=True)
    own = [each for each in declared.parameters.values() if each.kind is not each.VAR_KEYWORD]
    positional = [each for each in own if each.kind is not each.KEYWORD_ONLY]
    parameters = [*positional, *options, *own[len(positional) :]]
    cast("Any", command).__signature__ = declared.replace(parameters=parameters)
    return command

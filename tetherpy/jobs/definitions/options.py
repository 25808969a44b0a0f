"""The options of a job: each is declared once, at its field of ``NewJob``; all that handles options reads them here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Literal, TypeAlias

import attrs

from ..arguments import check_bounds, to_instant, to_integer, to_string
from ..errors import JobArgumentError
from ..payload.encoding import encode
from ..payload.meta import check_meta
from ..schedules.backoff import Backoff, from_json, to_json
from ..storage.values import integer, number, text

OptionKind: TypeAlias = Literal["integer", "text", "duration", "instant", "pairs", "policy"]
"""The kind of an option's values; command line and forms choose the input by it."""

_OPTION = "option"
"""The key of an option in the metadata of its field."""


@attrs.frozen(kw_only=True)
class JobOption:
    """Describe an option of a job.

    ``label`` names it in forms and details, ``help`` explains it in a few words. ``least`` bounds an integer. An option
    that is not ``stored`` has no column; the engines derive others from it.
    """

    kind: OptionKind
    label: str
    help: str
    least: int | None = None
    stored: bool = True
    name: str = ""
    default: Any = None

    @property
    def field(self) -> str:
        """Return the attribute of ``BackgroundJob`` that has its value."""
        return f"{self.name}_json" if self.kind == "pairs" else self.name

    @property
    def shown(self) -> bool:
        """Tell whether people see the stored value; a policy is not one line of text."""
        return self.stored and self.kind != "policy"

    @property
    def check(self) -> Callable[[Any], Any]:
        """Return the function that converts a value for ``NewJob``; it raises ``JobArgumentError``."""
        return partial(_CHECKS[self.kind], self, f"NewJob.{self.name}")

    @property
    def write(self) -> Callable[[Any], Any] | None:
        """Return the function from a value to that of its column, which JSON can hold; None if they are the same."""
        return _WRITERS.get(self.kind)

    def read(self, stored: Any) -> Any:
        """Return the value of its column for ``BackgroundJob``; NULL is the default.

        Raises as the functions of ``storage.values`` for a value of another type.
        """
        return self.default if stored is None else _READERS[self.kind](stored)


def option(kind: OptionKind, label: str, help: str, *, least: int | None = None, stored: bool = True) -> dict[str, Any]:  # noqa: A002 - as argparse names it
    """Return the metadata of a field of ``NewJob`` that is an option."""
    return {_OPTION: JobOption(kind=kind, label=label, help=help, least=least, stored=stored)}


def options_of(declaring: type[attrs.AttrsInstance]) -> tuple[JobOption, ...]:
    """Return the options that the fields of a class declare, with their names and defaults."""
    return tuple(
        attrs.evolve(field.metadata[_OPTION], name=field.name, default=field.default)
        for field in attrs.fields(declaring)
        if _OPTION in field.metadata
    )


def _check_integer(option: JobOption, name: str, value: object) -> int:
    checked = value if type(value) is int else to_integer(name, value)
    if option.least is None:
        check_bounds(name, checked)
    else:
        check_bounds(name, checked, least=option.least)
    return checked


def _check_text(option: JobOption, name: str, value: object) -> str:
    checked = value if type(value) is str else to_string(name, value)
    if not checked and option.default is not None:
        raise JobArgumentError(name, checked, "it must not be empty")
    return checked


def _check_policy(_: JobOption, name: str, value: object) -> Backoff:
    if not isinstance(value, Backoff):
        raise JobArgumentError(name, value, "it must be a Backoff")
    return value


_CHECKS: Mapping[OptionKind, Callable[[JobOption, str, Any], Any]] = {
    "integer": _check_integer,
    "text": _check_text,
    # The converter of the field has checked it: a type checker takes the type of the argument from it.
    "duration": lambda _, name, value: value,
    "instant": lambda _, name, value: to_instant(name, value),
    "pairs": lambda _, name, value: check_meta(name, value) or None,
    "policy": _check_policy,
}
_WRITERS: Mapping[OptionKind, Callable[[Any], Any]] = {
    "duration": timedelta.total_seconds,
    "pairs": encode,
    "policy": to_json,
}
_READERS: Mapping[OptionKind, Callable[[Any], Any]] = {
    "integer": integer,
    "text": text,
    "duration": lambda stored: timedelta(seconds=number(stored)),
    "pairs": text,
    "policy": lambda stored: from_json(text(stored)),
}

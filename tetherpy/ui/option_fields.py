"""The options of a job as fields of a form, and the options of a submitted form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import attrs
import msgspec

from tetherpy.jobs import OPTIONS, JobOption, NewJobOptions, OptionKind

from .errors import FieldError


@attrs.frozen(kw_only=True)
class OptionField:
    """One field: its element, its first value, and its bounds as attributes of the element."""

    name: str
    label: str
    hint: str
    type: str
    initial: object
    limits: Mapping[str, object]


def option_fields(initial: Mapping[str, Any]) -> list[OptionField]:
    """Return the fields; ``initial`` are the stored options of a job of the definition."""
    return [
        OptionField(
            name=option.name,
            label=option.label,
            hint=option.help + _INPUTS[option.kind].hint,
            type=_INPUTS[option.kind].type,
            initial="" if (value := initial.get(option.name)) is None else value,
            limits=_INPUTS[option.kind].limits | ({} if option.least is None else {"min": option.least}),
        )
        for option in _OPTIONS
    ]


def read_options(form: Mapping[str, str], initial: Mapping[str, Any]) -> NewJobOptions:
    """Return the options of a submitted form; raise ``FieldError`` for an invalid value.

    An empty field of an option that must have a value is that of the definition.
    """
    return cast("NewJobOptions", {option.name: _read(option, form, initial) for option in _OPTIONS})


def read_json(form: Mapping[str, str], name: str) -> Any:
    """Return the decoded JSON of a field, None if it is empty; raise ``FieldError`` for other text."""
    text = form.get(name, "")
    return _json(name, text) if text.strip() else None


def _read(option: JobOption, form: Mapping[str, str], initial: Mapping[str, Any]) -> Any:
    text = form.get(option.name, "").strip()
    if text:
        return _INPUTS[option.kind].read(option.name, text)
    return None if option.default is None else initial.get(option.name, option.default)


def _integer(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise FieldError(name, "Must be an integer.") from error


def _seconds(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise FieldError(name, "Must be a number of seconds.") from error


def _json(name: str, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise FieldError(name, f"Invalid JSON: {error}") from error


@attrs.frozen
class _Input:
    type: str
    read: Callable[[str, str], Any]
    hint: str = ""
    limits: dict[str, object] = attrs.field(factory=dict[str, object])


_INPUTS: Mapping[OptionKind, _Input] = {
    "integer": _Input("number", _integer, limits={"step": 1}),
    "text": _Input("text", lambda _, text: text),
    "duration": _Input("number", _seconds, ", in seconds", {"step": "any", "min": 0}),
    "pairs": _Input("text", _json, ': JSON, such as {"tenant": "7"}'),
}
_OPTIONS = tuple(option for option in OPTIONS if option.kind in _INPUTS)

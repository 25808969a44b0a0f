"""Conversion between the state of a notifier and the data in a storage."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

import attrs

from ..errors import ReactiveArgumentError

Migrate = Callable[[Any, int], Any]
"""Called with stored data and its version; returns the data in the form of the current version."""

_PLAIN: Final[dict[type, Any]] = {
    type(None): Any,
    int: int | float,
    float: int | float,
    list: list[Any],
    dict: dict[Any, Any],
}


@attrs.frozen
class Codec:
    """How a state becomes data and comes back.

    Attributes:
        encode: from state to data.
        decode: from data to state.
        migrate: from data of an older version to data of the current one; None reads it as it is.
    """

    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]
    migrate: Migrate | None


def codec_of(
    encode: Callable[[Any], Any] | None,
    decode: Callable[[Any], Any] | None,
    migrate: Migrate | None,
    annotation: Callable[[], Any],
) -> Codec:
    """Return the given codec, or JSON of the annotated type.

    Raises:
        ReactiveArgumentError: no JSON can be decoded to the type. The encode function of the codec raises it for a
            value that would be read as another one, because its type is not known.
    """
    if encode is not None and decode is not None:
        return Codec(encode, decode, migrate)
    from tetherpy import json_codec  # loads msgspec, which only persistence needs

    kind = Any if encode is not None or decode is not None else annotation()
    if (reason := json_codec.find_undecodable(kind)) is not None:
        raise ReactiveArgumentError("persist(as_type=...)", kind, f"{reason}; or pass encode= and decode=")

    is_open = decode is None and Any in (kind, *get_args(kind))

    def to_json(value: Any) -> str:
        data = json_codec.encode(value).decode()
        if is_open and from_json(data) != value:
            raise ReactiveArgumentError(
                "persist(as_type=...)", kind, "the state would be read as other values; name its type, as in list[Item]"
            )
        return data

    def from_json(data: Any) -> Any:
        return json_codec.decode(data, kind)

    def migrate_json(data: Any, version: int) -> str:
        assert migrate is not None
        return json_codec.encode(migrate(json_codec.decode(data), version)).decode()

    return Codec(encode or to_json, decode or from_json, None if migrate is None else migrate_json)


def type_of(initial: object) -> Any:
    """Return the type of a state from its first value; the type of items in lists and dicts is not known."""
    return _PLAIN.get(type(initial), type(initial))


def state_type(notifier: type[Any], roots: tuple[type[Any], ...]) -> Any:
    """Return the argument of the generic base of a notifier, such as ``list[str]`` of ``Notifier[list[str]]``.

    Raises:
        ReactiveArgumentError: the argument is a text that names no type of the module.
    """
    state = SimpleNamespace(__annotations__={"state": _argument(notifier, roots, {})})
    try:
        hints = get_type_hints(state, getattr(notifier.build, "__globals__", {}))
    except NameError as error:
        raise ReactiveArgumentError(
            "persist(as_type=...)", None, f"the type of the state of {notifier.__name__} is not found: {error}; pass it"
        ) from error
    return hints["state"]


def _argument(kind: type[Any], roots: tuple[type[Any], ...], given: dict[Any, Any]) -> Any:
    for base in vars(kind).get("__orig_bases__", kind.__bases__):
        origin = get_origin(base) or base
        arguments = [_substituted(argument, given) for argument in get_args(base)]
        if origin in roots:
            return arguments[0] if arguments else Any
        if isinstance(origin, type) and issubclass(origin, roots):
            parameters = getattr(origin, "__parameters__", ())
            return _argument(origin, roots, dict(zip(parameters, arguments, strict=False)))
    return Any


def _substituted(argument: Any, given: dict[Any, Any]) -> Any:
    if isinstance(argument, TypeVar):
        return given.get(argument, Any)
    parameters = getattr(argument, "__parameters__", ())
    return argument[tuple(given.get(parameter, Any) for parameter in parameters)] if parameters else argument

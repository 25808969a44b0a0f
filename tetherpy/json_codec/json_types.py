"""Types beyond msgspec's own that payloads and results may hold: how each becomes JSON and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any, cast

import msgspec

_PLAIN_VALUES: tuple[Any, ...] = (None, True, 1, 1.5, "", [], {})


def to_builtin(value: object) -> Any:
    """Return a plain value for a NumPy scalar, a path, or a subclass of int, float or str; else raise ``TypeError``."""
    if isinstance(value, PurePath):
        return str(value)
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return cast("Any", value).item()
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return str.__str__(value)
    name = type(value).__qualname__
    if hasattr(value, "__await__"):
        raise TypeError(f"{name} is to be awaited: did you forget await?")
    raise TypeError(f"objects of type {name} have no form in JSON")


ENCODER = msgspec.json.Encoder(enc_hook=to_builtin)


def from_builtin(annotation: type[Any], value: Any) -> Any:
    """Return the value of a type that msgspec does not know: a path, or one that the plain value is an instance of."""
    if _is_path(annotation) and isinstance(value, str):
        return annotation(value)
    if isinstance(value, annotation):
        return value
    raise TypeError(f"expected `{annotation.__qualname__}`, got `{type(value).__name__}`")


def find_undecodable(annotation: Any) -> str | None:
    """Return why no JSON can ever be decoded to an annotation, None if some can."""
    # Imported here: it is needed once per handler, and not for encoding.
    from msgspec import inspect

    seen: set[int] = set()
    try:
        todo: list[Any] = [inspect.type_info(annotation)]
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    while todo:
        part = todo.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, inspect.CustomType) and not (_is_path(part.cls) or _is_met_by_plain_values(part.cls)):
            return (
                f"{part.cls.__module__}.{part.cls.__qualname__} has no form in JSON; "
                "make it an attrs class, a dataclass or a TypedDict"
            )
        todo += _parts_of(part)
    return None


def _parts_of(part: object) -> Iterator[object]:
    from msgspec import inspect

    # An optional field is fine: decoding omits it.
    if isinstance(part, msgspec.Struct) and not (isinstance(part, inspect.Field) and not part.required):
        for name in part.__struct_fields__:
            yield getattr(part, name)
    elif isinstance(part, tuple):
        yield from part


def _is_met_by_plain_values(annotation: Any) -> bool:
    try:
        return any(isinstance(value, annotation) for value in _PLAIN_VALUES)
    except TypeError:  # such as a protocol that is not checked at run time
        return False


def _is_path(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, PurePath)

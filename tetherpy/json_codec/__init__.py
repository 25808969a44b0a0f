"""Values as JSON text: attrs class, dataclass, TypedDict, Struct, dict, list, scalars, None."""

from .codec import decode, encode
from .json_types import find_undecodable

__all__ = ["decode", "encode", "find_undecodable"]


def __dir__() -> list[str]:
    return [*__all__]

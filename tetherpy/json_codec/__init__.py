"""Values as JSON text: attrs class, dataclass, TypedDict, Struct, dict, list, scalars, None."""

from tetherpy.facades import facade_dir

from .codec import decode, encode
from .json_types import find_undecodable

__all__ = ["decode", "encode", "find_undecodable"]

__dir__ = facade_dir(__all__)

"""Functions with which the ``__init__`` of a package offers its public names."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def lazy_facade(
    package: str,
    public: Collection[str],
    modules: Mapping[str, str],
    others: str,
    needs: Mapping[str, str] = NOTHING,
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package that imports each public name at its first use.

    ``modules`` maps names to the modules that define them, relative to the package; ``others`` is the module of all
    names that are not in it. ``needs`` is that of ``facade_dir``.
    """

    def get(name: str) -> object:
        if name not in public:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(f".{modules.get(name, others)}", package), name)
        vars(sys.modules[package])[name] = value
        return value

    return get, facade_dir(public, needs)


def facade_dir(public: Collection[str], needs: Mapping[str, str] = NOTHING) -> Callable[[], list[str]]:
    """Return ``__dir__`` of a package, so that completion and ``help`` offer the public names only.

    ``needs`` maps names to the module of an extra that they import. Without it they are left out, because ``help``
    imports every name that it finds.
    """
    return lambda: [name for name in public if name not in needs or find_spec(needs[name]) is not None]

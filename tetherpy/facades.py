"""Functions with which the ``__init__`` of a package offers its public names."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from importlib import import_module


def lazy_facade(
    package: str, public: Collection[str], modules: Mapping[str, str], others: str
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package that imports each public name at its first use.

    ``modules`` maps names to the modules that define them, relative to the package; ``others`` is the module of all
    names that are not in it.
    """

    def get(name: str) -> object:
        if name not in public:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(f".{modules.get(name, others)}", package), name)
        vars(sys.modules[package])[name] = value
        return value

    return get, facade_dir(public)


def facade_dir(public: Collection[str]) -> Callable[[], list[str]]:
    """Return ``__dir__`` of a package, so that completion and ``help`` offer the public names only."""
    return lambda: [*public]

"""Pickling of providers by module and global name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from ..errors import UnnamedProviderError


def found_by_name(provider: object, create: object) -> tuple[Callable[[str, str], Any], tuple[str, str]]:
    """Return the ``__reduce__`` value of a provider or family: its module and name.

    Args:
        provider: the provider or family.
        create: its function; the module of the function is searched first.

    Raises:
        UnnamedProviderError: no loaded module has it as a global name.
    """
    home = str(getattr(create, "__module__", ""))
    for name in (home, *tuple(sys.modules)):
        names: dict[str, object] = getattr(sys.modules.get(name), "__dict__", {})
        for attribute, value in tuple(names.items()):
            if value is provider:
                return _find, (name, attribute)
    raise UnnamedProviderError(provider)


def _find(module: str, attribute: str) -> Any:
    return getattr(import_module(module), attribute)

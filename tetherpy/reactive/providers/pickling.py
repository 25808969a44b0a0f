"""Finding a provider again by the name that its module has for it, which is what a pickle of it holds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from ..errors import UnnamedProviderError


def found_by_name(provider: object, create: object) -> tuple[Callable[[str, str], Any], tuple[str, str]]:
    """Return how to find a provider or family again, as ``__reduce__`` does.

    Args:
        provider: what to find.
        create: its function, in whose module it is looked for first.

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

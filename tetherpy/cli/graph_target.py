"""The target of ``tetherpy graph``: a container, a function that returns one, or a module with providers."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs

from tetherpy.reactive import ProviderContainer

from .errors import GraphTargetError
from .parameters.project import find_project


@attrs.frozen
class Target:
    """The module of ``MODULE`` or ``MODULE:NAME``, and the name in it, or None."""

    text: str
    module: ModuleType
    name: str | None

    @classmethod
    def named(cls, text: str) -> Target:
        """Import the module; raises ``GraphTargetError`` if that fails."""
        module, colon, name = text.partition(":")
        if not module or (colon and not name):
            raise GraphTargetError(text, "it is not of the form module or module:name")
        if module.endswith(".py") or os.sep in module:
            raise GraphTargetError(text, "it is a file name; pass the name of the module, as in an import")
        project = find_project()
        sys.path.insert(0, str(Path.cwd() if project is None else project.folder))
        try:
            return cls(text, import_module(module), name or None)
        except (Exception, SystemExit) as error:
            raise GraphTargetError(text, f"importing {module} raised {_described(error)}") from error

    async def container(self) -> ProviderContainer:
        """Return the named container, or the one that the named function returns."""
        found = self._found()
        if callable(found) and not isinstance(found, ProviderContainer):
            found = await self._made(found)
        if not isinstance(found, ProviderContainer):
            reason = f"it is a {type(found).__name__}, neither a ProviderContainer nor a function that returns one"
            raise GraphTargetError(self.text, reason)
        return found

    def _found(self) -> object:
        found: object = self.module
        for part in (self.name or "").split("."):
            try:
                found = getattr(found, part)
            except AttributeError as error:
                reason = f"{self.module.__name__} has no {self.name}"
                raise GraphTargetError(self.text, reason) from error
        return found

    async def _made(self, make: Callable[..., Any]) -> object:
        try:
            made = make()
            return await made if inspect.isawaitable(made) else made
        except (Exception, SystemExit) as error:
            raise GraphTargetError(self.text, f"calling it raised {_described(error)}") from error


def _described(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"

"""What ``tetherpy graph`` looks at: a container, what makes one, or a module that declares providers."""

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
    """The module that ``MODULE`` or ``MODULE:NAME`` names, and the name in it; None if there is none."""

    text: str
    module: ModuleType
    name: str | None

    @classmethod
    def named(cls, text: str) -> Target:
        """Import the module, as the app's own code would; ``GraphTargetError`` if that fails."""
        module, colon, name = text.partition(":")
        if not module or (colon and not name):
            raise GraphTargetError(text, "it is not of the form module or module:name")
        if module.endswith(".py") or os.sep in module:
            raise GraphTargetError(text, "it names a file, and a module is named as it is imported")
        project = find_project()
        sys.path.insert(0, str(Path.cwd() if project is None else project.folder))
        try:
            return cls(text, import_module(module), name or None)
        except (Exception, SystemExit) as error:
            raise GraphTargetError(text, f"to import {module} raised {_said(error)}") from error

    async def container(self) -> ProviderContainer:
        """Return the container that the name means, or that the function of this name returns."""
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
            raise GraphTargetError(self.text, f"to call it raised {_said(error)}") from error


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"

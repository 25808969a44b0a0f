"""Commands that are loaded when they run, so that ``--help`` stays fast."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from inspect import iscoroutinefunction
from typing import Any, TypeGuard

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from .output.standard_streams import ReaderGoneError, writing


class Command(TyperCommand):
    """A command that reports a failure to print its help like one to print results."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Parse the arguments; ``--help`` prints the help."""
        with writing():
            return super().make_context(*arguments, **options)


class LazyCommand(TyperCommand):
    """A placeholder for a command that is not loaded: its name and summary."""

    def __init__(self, name: str, module: str, attribute: str, summary: str) -> None:
        super().__init__(name, help=summary, rich_markup_mode=None)
        self.module = module
        self.attribute = attribute

    def load(self) -> Any:
        """Return the real command."""
        found: Any = getattr(import_module(self.module), self.attribute)
        return found if isinstance(found, TyperGroup) else as_command(self.name or "", found)


class LazyGroup(TyperGroup):
    """A group that loads the named command; without one it lists its commands."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Parse the arguments, as ``Command`` does."""
        with writing():
            return super().make_context(*arguments, **options)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Treat no arguments as ``--help``."""
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the real command instead of its placeholder; suggest the group of an unknown command."""
        try:
            name, command, rest = super().resolve_command(ctx, args)
        except typer.TyperException as error:
            if whole := [f"'{group} {args[0]}'" for group in self._groups_with(args[0])]:
                error.message = f"No such command {args[0]!r}. Did you mean {' or '.join(whole)}?"
            raise
        return name, command.load() if isinstance(command, LazyCommand) else command, rest

    def _groups_with(self, name: str) -> list[str]:
        groups = {group: command.load() for group, command in self.commands.items() if _is_group(command)}
        return [group for group, loaded in groups.items() if name in loaded.commands]


def _is_group(command: object) -> TypeGuard[LazyCommand]:
    return isinstance(command, LazyCommand) and command.attribute == "group"


def lazy_group(name: str, summary: str, package: str, commands: Mapping[str, tuple[str, str]]) -> LazyGroup:
    """Return a group of commands by name: the place of each in ``package`` (``"module:function"``), and its summary."""
    return fill(LazyGroup(name=name, help=summary, rich_markup_mode=None), package, commands)


def fill(group: LazyGroup, package: str, commands: Mapping[str, tuple[str, str]]) -> LazyGroup:
    """Add placeholders of the commands to a group."""
    for name, (place, summary) in commands.items():
        module, _, attribute = place.partition(":")
        group.add_command(LazyCommand(name, f"{package}.{module}", attribute, summary))
    return group


def as_command(name: str, function: Callable[..., Any]) -> Any:
    """Create a command from a function with annotated parameters; an ``async`` one runs in a new event loop.

    An int that the function returns is the exit code.
    """
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name, cls=Command)(_running(function))
    return get_command(app)


def _running(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def run(*arguments: Any, **options: Any) -> Any:
        try:
            if not iscoroutinefunction(function):
                return function(*arguments, **options)
            import asyncio

            return asyncio.run(function(*arguments, **options))
        except BrokenPipeError as error:
            # Typer would handle a BrokenPipeError itself, as a failure.
            raise ReaderGoneError from error

    return run

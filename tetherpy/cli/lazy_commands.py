"""Commands that are known by name and loaded when they run, so that ``--help`` loads none of them."""

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
    """A command whose help, if it cannot be printed, fails as results do."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Read what was typed; if that is a wish to be helped, print the help."""
        with writing():
            return super().make_context(*arguments, **options)


class LazyCommand(TyperCommand):
    """Stand for a command that is not loaded: its name and its summary are all that a list of commands needs."""

    def __init__(self, name: str, module: str, attribute: str, summary: str) -> None:
        super().__init__(name, help=summary, rich_markup_mode=None)
        self.module = module
        self.attribute = attribute

    def load(self) -> Any:
        """Return the real command."""
        found: Any = getattr(import_module(self.module), self.attribute)
        return found if isinstance(found, TyperGroup) else as_command(self.name or "", found)


class LazyGroup(TyperGroup):
    """Load a command once it is clear which one is meant; without one show what there is."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Read what was typed, as ``Command`` does."""
        with writing():
            return super().make_context(*arguments, **options)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take no arguments at all for a wish to be helped."""
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the real command in place of what stands for it; for one that is in a group, name the group."""
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
    """Return a group of commands: by name, where each is in ``package`` (``"module:function"``) and its summary."""
    return fill(LazyGroup(name=name, help=summary, rich_markup_mode=None), package, commands)


def fill(group: LazyGroup, package: str, commands: Mapping[str, tuple[str, str]]) -> LazyGroup:
    """Add the commands to a group, unloaded."""
    for name, (place, summary) in commands.items():
        module, _, attribute = place.partition(":")
        group.add_command(LazyCommand(name, f"{package}.{module}", attribute, summary))
    return group


def as_command(name: str, function: Callable[..., Any]) -> Any:
    """Make a command of a function with annotated parameters; an ``async`` one gets a loop of its own.

    An int that it returns is the exit code.
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
            # As what it is Typer would take it for a failure, and exit.
            raise ReaderGoneError from error

    return run

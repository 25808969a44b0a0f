"""The types of handlers: functions that are called with a service, the payload and the database."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from tetherpy.database import AppTransaction, Portal, SyncDatabase

from ..model import BackgroundJob

if TYPE_CHECKING:
    from tetherpy.database import Database, PostgresDatabase

    class AnyDatabase(Database, PostgresDatabase):  # type: ignore[misc, override]
        """A database of either engine, so that a handler may annotate ``db`` with either class or with SqlDatabase."""
else:
    AnyDatabase = Any


class HandlerService(Protocol):
    """The part of ``ServiceInstance`` that shows a type checker what it is; ``jobs`` cannot import the class."""

    @property
    def job(self) -> BackgroundJob:
        """Return the running job."""
        ...

    def complete(self, result: object = None, *, transaction: AppTransaction) -> Coroutine[Any, Any, None]:
        """Complete the job in a transaction."""
        ...


class SyncHandlerService(Protocol):
    """The part of ``SyncServiceInstance`` that shows a type checker what it is."""

    @property
    def job(self) -> BackgroundJob:
        """Return the running job."""
        ...

    def in_loop(self) -> tuple[Portal, HandlerService]:
        """Return the asynchronous interface, and the portal to its loop."""
        ...


P = TypeVar("P")
R = TypeVar("R")
S = TypeVar("S", bound=HandlerService)
B = TypeVar("B", bound=SyncHandlerService)

Handler: TypeAlias = Callable[[S, P, AnyDatabase], Coroutine[Any, Any, R]]
"""An ``async def``."""
SyncHandler: TypeAlias = Callable[[B, P, SyncDatabase], R]
"""A plain ``def``, which runs in a thread."""

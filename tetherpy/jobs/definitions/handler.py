"""The type of a handler: a function that is called with the ServiceInstance, the payload and the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

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


P = TypeVar("P")
R = TypeVar("R")
S = TypeVar("S", bound=HandlerService)

Handler: TypeAlias = Callable[[S, P, AnyDatabase], R]

"""The base class of the two providers of asynchronous notifiers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from ...asynchronous.async_provider_base import AsyncProviderBase
from ...asynchronous.async_value import AsyncValue
from ...asynchronous.source import Sink, Source
from ...container.overrides import Override
from ...container.ref import NotifierRef
from ...graph.element import Element
from .notifier_build import attach_async_notifier, attach_async_notifier_build, attach_async_notifier_value
from .notifier_of import NotifierOf

N = TypeVar("N")
T = TypeVar("T")


class AsyncNotifierProviderBase(AsyncProviderBase[T], Generic[N, T]):
    """Base of AsyncNotifierProvider and StreamNotifierProvider."""

    __slots__ = ()

    build_type = NotifierRef
    takes_ref = False

    @staticmethod
    def begin(sink: Sink, result: Any) -> Source | None:
        """Start the result of the notifier's ``build``."""
        raise NotImplementedError

    @property
    def notifier(self) -> NotifierOf[N]:
        """The notifier, to call its methods; watching it does not rebuild when the state changes."""
        return NotifierOf(self)

    def attach_with(self, element: Element, create: Callable[..., Any]) -> None:
        """Prepare an element with a function that creates the notifier."""
        attach_async_notifier(element, create, self.begin)

    def attach_build(self, element: Element, build: Callable[[Any, Any], Any]) -> None:
        """Prepare an element with another ``build`` of this provider's notifier."""
        attach_async_notifier_build(element, self._create, build, self.begin)

    def override_with_value(self, value: AsyncValue[T]) -> Override:
        """Return an override with another first state, such as ``AsyncData(user)``; the notifier's methods stay."""
        return Override(self, lambda element, _: attach_async_notifier_value(element, self._create, value))

"""The base class of providers whose source delivers complete AsyncValues."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from typing import Any, Generic, TypeVar

from ..container.ref import Ref
from ..graph.element import Element
from .async_flow import attach_flow
from .async_provider_base import AsyncProviderBase
from .begin_source import begin_states

T = TypeVar("T")


class StateStreamProviderBase(AsyncProviderBase[T], Generic[T]):
    """Base of providers whose function returns an async iterable of AsyncValues; each becomes the state.

    A yielded AsyncError is an ordinary state: it is neither reported nor retried.
    """

    __slots__ = ()

    build_type = Ref

    def attach_with(self, element: Element, create: Callable[..., AsyncIterable[Any]]) -> None:
        """Prepare an element with a function of a Ref."""
        attach_flow(element, create, begin_states)

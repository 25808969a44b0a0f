"""``StreamProvider``: the latest value of an Rx observable or an async generator."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Generic, ParamSpec, TypeAlias, TypeVar, Unpack

from ..asynchronous.async_flow import attach_flow
from ..asynchronous.async_provider_base import AsyncProviderBase
from ..asynchronous.begin_source import begin_stream
from ..container.overrides import Override
from ..container.ref import Ref
from ..graph.element import Element
from .builders import Builder, FamilyBuilder
from .provider import Family
from .provider_options import AUTO_DISPOSE, DEFAULT, OptionArguments, make_options

if TYPE_CHECKING:
    from reactivex import Observable

T = TypeVar("T")
P = ParamSpec("P")

StreamOf: TypeAlias = "Observable[T] | AsyncIterable[T]"
"""The result of a stream provider's function."""


class StreamProvider(AsyncProviderBase[T], Generic[T]):
    """The latest value of a stream, watched as an AsyncValue.

    Without listeners an async iterator is not pulled, and only the last event of an Observable is kept.
    When the stream ends, the last value stays; without a value the provider stays loading (Riverpod).

    Args:
        create: called with a Ref; returns an Rx Observable or an async iterable, or is an async generator.
        **options: ``name``, ``auto_dispose``, ``dependencies``, ``retry`` and ``scope``, as in ``ProviderOptions``.
    """

    __slots__ = ()

    streams: ClassVar[bool] = True
    build_type = Ref
    auto_dispose: ClassVar[StreamProviderBuilder]
    family: ClassVar[StreamProviderFamilyBuilder]

    if TYPE_CHECKING:

        def __init__(
            self,
            create: Callable[[Ref], StreamOf[T]],
            **options: Unpack[OptionArguments],
        ) -> None: ...

    @staticmethod
    def options(**options: Unpack[OptionArguments]) -> StreamProviderBuilder:
        """Return ``@StreamProvider`` with these options preset; its ``.family`` declares families with them."""
        return StreamProviderBuilder(make_options(**options), StreamProviderFamilyBuilder)

    def attach_with(self, element: Element, create: Callable[..., Any]) -> None:
        """Prepare an element with a function of a Ref."""
        attach_flow(element, create, begin_stream)

    def override_with(self, create: Callable[[Ref], StreamOf[T]]) -> Override:
        """Return an override with another function."""
        return self.override_create(create)


class StreamProviderBuilder(Builder["StreamProviderFamilyBuilder"]):
    """Declares ``StreamProvider`` with options."""

    __slots__ = ()

    def __call__(self, create: Callable[[Ref], StreamOf[T]]) -> StreamProvider[T]:
        """Declare a provider."""
        return StreamProvider[T].made(create, self._options)


class StreamProviderFamilyBuilder(FamilyBuilder):
    """Declares families of ``StreamProvider`` with options."""

    __slots__ = ()

    def __call__(
        self, create: Callable[Concatenate[Ref, P], StreamOf[T]]
    ) -> Family[P, Callable[Concatenate[Ref, P], StreamOf[T]], StreamProvider[T]]:
        """Declare a family; its arguments are the parameters of the function after ``ref``."""
        return Family(create, self._options, StreamProvider[T].made, passes_ref=True, streams=True)


StreamProvider.auto_dispose = StreamProviderBuilder(AUTO_DISPOSE, StreamProviderFamilyBuilder)
StreamProvider.family = StreamProviderFamilyBuilder(DEFAULT)

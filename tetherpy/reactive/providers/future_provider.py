"""``FutureProvider``: one awaited value."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Generic, ParamSpec, TypeVar, Unpack, overload

from ..asynchronous.async_flow import attach_flow
from ..asynchronous.async_provider_base import AsyncProviderBase
from ..asynchronous.begin_source import begin_future
from ..container.overrides import Override
from ..container.ref import Ref
from ..graph.element import Element
from .builders import Builder, FamilyBuilder
from .provider import Family
from .provider_options import AUTO_DISPOSE, DEFAULT, OptionArguments, make_options

T = TypeVar("T")
P = ParamSpec("P")


class FutureProvider(AsyncProviderBase[T], Generic[T]):
    """An awaited value, watched as an AsyncValue.

    The task that awaits it is cancelled when the provider is rebuilt or disposed.

    Args:
        create: called with a Ref; returns an awaitable (as an ``async`` function does) or a plain value.
        **options: ``name``, ``auto_dispose``, ``dependencies``, ``retry`` and ``scope``, as in ``ProviderOptions``.
    """

    __slots__ = ()

    build_type = Ref
    auto_dispose: ClassVar[FutureProviderBuilder]
    family: ClassVar[FutureProviderFamilyBuilder]

    if TYPE_CHECKING:

        @overload
        def __init__(
            self,
            create: Callable[[Ref], Awaitable[T]],
            **options: Unpack[OptionArguments],
        ) -> None: ...
        @overload
        def __init__(
            self,
            create: Callable[[Ref], T],
            **options: Unpack[OptionArguments],
        ) -> None: ...
        def __init__(self, create: Callable[[Ref], Any], **options: Any) -> None: ...

    @staticmethod
    def options(**options: Unpack[OptionArguments]) -> FutureProviderBuilder:
        """Return ``@FutureProvider`` with these options preset; its ``.family`` declares families with them."""
        return FutureProviderBuilder(make_options(**options), FutureProviderFamilyBuilder)

    def attach_with(self, element: Element, create: Callable[..., Any]) -> None:
        """Prepare an element with a function of a Ref."""
        attach_flow(element, create, begin_future)

    def override_with(self, create: Callable[[Ref], Awaitable[T] | T]) -> Override:
        """Return an override with another function."""
        return self.override_create(create)


class FutureProviderBuilder(Builder["FutureProviderFamilyBuilder"]):
    """Declares ``FutureProvider`` with options."""

    __slots__ = ()

    @overload
    def __call__(self, create: Callable[[Ref], Awaitable[T]]) -> FutureProvider[T]: ...
    @overload
    def __call__(self, create: Callable[[Ref], T]) -> FutureProvider[T]: ...
    def __call__(self, create: Callable[[Ref], Any]) -> FutureProvider[Any]:
        """Declare a provider."""
        return FutureProvider[Any].made(create, self._options)


class FutureProviderFamilyBuilder(FamilyBuilder):
    """Declares families of ``FutureProvider`` with options."""

    __slots__ = ()

    @overload
    def __call__(
        self, create: Callable[Concatenate[Ref, P], Awaitable[T]]
    ) -> Family[P, Callable[Concatenate[Ref, P], Awaitable[T] | T], FutureProvider[T]]: ...
    @overload
    def __call__(
        self, create: Callable[Concatenate[Ref, P], T]
    ) -> Family[P, Callable[Concatenate[Ref, P], Awaitable[T] | T], FutureProvider[T]]: ...
    def __call__(self, create: Callable[..., Any]) -> Family[..., Any, FutureProvider[Any]]:
        """Declare a family; its arguments are the parameters of the function after ``ref``."""
        return Family(create, self._options, FutureProvider[Any].made, passes_ref=True)


FutureProvider.auto_dispose = FutureProviderBuilder(AUTO_DISPOSE, FutureProviderFamilyBuilder)
FutureProvider.family = FutureProviderFamilyBuilder(DEFAULT)

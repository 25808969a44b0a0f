"""``FutureProvider``: one value that has to be awaited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Generic, ParamSpec, TypeVar, overload

from ..asynchronous.async_flow import attach_flow
from ..asynchronous.async_provider_base import AsyncProviderBase
from ..asynchronous.sources import begin_future
from ..container.overrides import Override
from ..container.ref import Ref
from ..graph.element import Element
from ..graph.retry import Retry
from .provider import Family
from .provider_options import AUTO_DISPOSE, DEFAULT, ProviderOptions, make_options

T = TypeVar("T")
P = ParamSpec("P")


class FutureProvider(AsyncProviderBase[T], Generic[T]):
    """An awaited value, watched as an AsyncValue.

    The task that awaits it is cancelled when the provider is rebuilt or disposed.

    Args:
        create: called with a Ref; ``async``, or returning an awaitable, or a plain value.
        name: shown instead of the function's name.
        auto_dispose: dispose the value when nobody uses it any more.
        dependencies: the scoped providers it uses; naming any (or none: ``[]``) makes it scoped.
        retry: when to build it again after a failure.
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
            *,
            name: str | None = None,
            auto_dispose: bool = False,
            dependencies: Iterable[Any] | None = None,
            retry: Retry | None = None,
        ) -> None: ...
        @overload
        def __init__(
            self,
            create: Callable[[Ref], T],
            *,
            name: str | None = None,
            auto_dispose: bool = False,
            dependencies: Iterable[Any] | None = None,
            retry: Retry | None = None,
        ) -> None: ...
        def __init__(self, create: Callable[[Ref], Any], **options: Any) -> None: ...

    @staticmethod
    def options(
        *,
        name: str | None = None,
        auto_dispose: bool = False,
        dependencies: Iterable[Any] | None = None,
        retry: Retry | None = None,
    ) -> FutureProviderBuilder:
        """Return a decorator with these options; ``.family`` of it declares a family."""
        return FutureProviderBuilder(make_options(name, auto_dispose, dependencies, retry))

    def attach_with(self, element: Element, create: Callable[..., Any]) -> None:
        """Prepare an element with a function of a Ref."""
        attach_flow(element, create, begin_future)

    def override_with(self, create: Callable[[Ref], Awaitable[T] | T]) -> Override:
        """Return an override with another function."""
        return self.override_create(create)


class FutureProviderBuilder:
    """Declares ``FutureProvider``s with options."""

    __slots__ = ("_options",)

    def __init__(self, options: ProviderOptions) -> None:
        self._options = options

    @overload
    def __call__(self, create: Callable[[Ref], Awaitable[T]]) -> FutureProvider[T]: ...
    @overload
    def __call__(self, create: Callable[[Ref], T]) -> FutureProvider[T]: ...
    def __call__(self, create: Callable[[Ref], Any]) -> FutureProvider[Any]:
        """Declare a provider."""
        return FutureProvider[Any].made(create, self._options)

    @property
    def family(self) -> FutureProviderFamilyBuilder:
        """Declares families with the same options."""
        return FutureProviderFamilyBuilder(self._options)


class FutureProviderFamilyBuilder:
    """Declares families of ``FutureProvider``s."""

    __slots__ = ("_options",)

    def __init__(self, options: ProviderOptions) -> None:
        self._options = options

    @overload
    def __call__(
        self, create: Callable[Concatenate[Ref, P], Awaitable[T]]
    ) -> Family[P, Callable[Concatenate[Ref, P], Awaitable[T] | T], FutureProvider[T]]: ...
    @overload
    def __call__(
        self, create: Callable[Concatenate[Ref, P], T]
    ) -> Family[P, Callable[Concatenate[Ref, P], Awaitable[T] | T], FutureProvider[T]]: ...
    def __call__(self, create: Callable[..., Any]) -> Family[..., Any, FutureProvider[Any]]:
        """Declare a family; its arguments are those of the function after ``ref``."""
        return Family(create, self._options, FutureProvider[Any].made, passes_ref=True)


FutureProvider.auto_dispose = FutureProviderBuilder(AUTO_DISPOSE)
FutureProvider.family = FutureProviderFamilyBuilder(DEFAULT)

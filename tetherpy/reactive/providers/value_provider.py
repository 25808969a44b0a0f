"""``Provider``: a synchronous value, computed from others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Generic, ParamSpec, TypeVar

from ..container.overrides import Override
from ..container.ref import Ref
from ..graph.element import Element, Host
from ..graph.retry import Retry
from .provider import Family, ProviderBase
from .provider_options import AUTO_DISPOSE, DEFAULT, ProviderOptions, make_options

T = TypeVar("T")
P = ParamSpec("P")


class Provider(ProviderBase[T], Generic[T]):
    """A value that is computed once, and again when something it watches has changed.

    Args:
        create: called with a Ref; it must not be ``async``.
        name: shown instead of the function's name.
        auto_dispose: dispose the value when nobody uses it any more.
        dependencies: the scoped providers it uses; naming any (or none: ``[]``) makes it scoped.
        retry: when to build it again after a failure.
    """

    __slots__ = ()

    build_type = Ref
    auto_dispose: ClassVar[ProviderBuilder]
    family: ClassVar[ProviderFamilyBuilder]

    if TYPE_CHECKING:

        def __init__(
            self,
            create: Callable[[Ref], T],
            *,
            name: str | None = None,
            auto_dispose: bool = False,
            dependencies: Iterable[Any] | None = None,
            retry: Retry | None = None,
        ) -> None: ...

    @staticmethod
    def options(
        *,
        name: str | None = None,
        auto_dispose: bool = False,
        dependencies: Iterable[Any] | None = None,
        retry: Retry | None = None,
    ) -> ProviderBuilder:
        """Return a decorator with these options; ``.family`` of it declares a family."""
        return ProviderBuilder(make_options(name, auto_dispose, dependencies, retry))

    def element_in(self, host: Host) -> Element:
        """Return a new element; its function needs no preparation."""
        return Element(host, self, self._create)

    def attach_with(self, element: Element, create: Callable[..., Any]) -> None:
        """Prepare an element with a function of a Ref."""
        element.create = create

    def override_with(self, create: Callable[[Ref], T]) -> Override:
        """Return an override with another function."""
        return self.override_create(create)

    def override_with_value(self, value: T) -> Override:
        """Return an override with a fixed value."""
        return self.override_fixed(value)


class ProviderBuilder:
    """Declares ``Provider``s with options."""

    __slots__ = ("_options",)

    def __init__(self, options: ProviderOptions) -> None:
        self._options = options

    def __call__(self, create: Callable[[Ref], T]) -> Provider[T]:
        """Declare a provider."""
        return Provider[T].made(create, self._options)

    @property
    def family(self) -> ProviderFamilyBuilder:
        """Declares families with the same options."""
        return ProviderFamilyBuilder(self._options)


class ProviderFamilyBuilder:
    """Declares families of ``Provider``s."""

    __slots__ = ("_options",)

    def __init__(self, options: ProviderOptions) -> None:
        self._options = options

    def __call__(
        self, create: Callable[Concatenate[Ref, P], T]
    ) -> Family[P, Callable[Concatenate[Ref, P], T], Provider[T]]:
        """Declare a family; its arguments are those of the function after ``ref``."""
        return Family(create, self._options, Provider[T].made, passes_ref=True)


Provider.auto_dispose = ProviderBuilder(AUTO_DISPOSE)
Provider.family = ProviderFamilyBuilder(DEFAULT)

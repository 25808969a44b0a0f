"""``Provider``: a synchronous value, computed from other providers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Generic, ParamSpec, TypeVar, Unpack

from ..container.overrides import Override
from ..container.ref import Ref
from ..graph.element import Element, Host
from .builders import Builder, FamilyBuilder
from .provider import Family, ProviderBase
from .provider_options import AUTO_DISPOSE, DEFAULT, OptionArguments, make_options

T = TypeVar("T")
P = ParamSpec("P")


class Provider(ProviderBase[T], Generic[T]):
    """A value that is computed once, and again when a provider it watches changes.

    Args:
        create: called with a Ref; it must not be ``async``.
        **options: ``name``, ``auto_dispose``, ``dependencies``, ``retry`` and ``scope``, as in ``ProviderOptions``.
    """

    __slots__ = ()

    build_type = Ref
    auto_dispose: ClassVar[ProviderBuilder]
    family: ClassVar[ProviderFamilyBuilder]

    if TYPE_CHECKING:

        def __init__(
            self,
            create: Callable[[Ref], T],
            **options: Unpack[OptionArguments],
        ) -> None: ...

    @staticmethod
    def options(**options: Unpack[OptionArguments]) -> ProviderBuilder:
        """Return ``@Provider`` with these options preset; its ``.family`` declares families with them."""
        return ProviderBuilder(make_options(**options), ProviderFamilyBuilder)

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


class ProviderBuilder(Builder["ProviderFamilyBuilder"]):
    """Declares ``Provider`` with options."""

    __slots__ = ()

    def __call__(self, create: Callable[[Ref], T]) -> Provider[T]:
        """Declare a provider."""
        return Provider[T].made(create, self._options)


class ProviderFamilyBuilder(FamilyBuilder):
    """Declares families of ``Provider`` with options."""

    __slots__ = ()

    def __call__(
        self, create: Callable[Concatenate[Ref, P], T]
    ) -> Family[P, Callable[Concatenate[Ref, P], T], Provider[T]]:
        """Declare a family; its arguments are the parameters of the function after ``ref``."""
        return Family(create, self._options, Provider[T].made, passes_ref=True)


Provider.auto_dispose = ProviderBuilder(AUTO_DISPOSE, ProviderFamilyBuilder)
Provider.family = ProviderFamilyBuilder(DEFAULT)

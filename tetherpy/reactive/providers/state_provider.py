"""``StateProvider``: a value that can be set from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Generic, ParamSpec, TypeVar, Unpack

from ..container.overrides import Override
from ..container.ref import Ref
from ..errors import UnmountedRefError
from ..graph.element import Element
from ..graph.updates.read import read_state
from ..graph.updates.set_value import set_value
from .builders import Builder, FamilyBuilder
from .notifiers.notifier_of import NotifierOf
from .provider import Family, ProviderBase
from .provider_options import AUTO_DISPOSE, DEFAULT, OptionArguments, make_options

T = TypeVar("T")
P = ParamSpec("P")


class StateController(Generic[T]):
    """Reads and sets the value of a StateProvider."""

    __slots__ = ("_element",)

    def __init__(self, element: Element) -> None:
        self._element = element

    @property
    def state(self) -> T:
        """The current value; setting it notifies listeners immediately if it changed by ``!=``.

        Raises:
            UnmountedRefError: the provider was disposed.
            ChangeDuringBuildError: another provider is being built.
        """
        element = self._element
        if element.ref is None:
            raise UnmountedRefError(element.provider)
        return read_state(element)  # type: ignore[no-any-return]  # the element holds the value that create returned

    @state.setter
    def state(self, value: T) -> None:
        set_value(self._element, value)

    def update(self, fn: Callable[[T], T]) -> T:
        """Set the value to ``fn(value)`` and return it."""
        self.state = value = fn(self.state)
        return value


class StateProvider(ProviderBase[T], Generic[T]):
    """A value that is set through ``provider.notifier``.

    Args:
        create: called with a Ref at each build; returns the initial value.
        **options: ``name``, ``auto_dispose``, ``dependencies``, ``retry`` and ``scope``, as in ``ProviderOptions``.
    """

    __slots__ = ()

    build_type = Ref
    auto_dispose: ClassVar[StateProviderBuilder]
    family: ClassVar[StateProviderFamilyBuilder]

    if TYPE_CHECKING:

        def __init__(
            self,
            create: Callable[[Ref], T],
            **options: Unpack[OptionArguments],
        ) -> None: ...

    @staticmethod
    def options(**options: Unpack[OptionArguments]) -> StateProviderBuilder:
        """Return a decorator with these options; its ``.family`` declares families."""
        return StateProviderBuilder(make_options(**options), StateProviderFamilyBuilder)

    @property
    def notifier(self) -> NotifierOf[StateController[T]]:
        """The controller that sets the value; watching it does not rebuild when the value changes."""
        return NotifierOf(self)

    def attach_with(self, element: Element, create: Callable[..., Any]) -> None:
        """Prepare an element with a function of a Ref."""
        element.create = create
        if element.notifier is None:
            element.notifier = StateController[T](element)

    def override_with(self, create: Callable[[Ref], T]) -> Override:
        """Return an override with another function for the initial value."""
        return self.override_create(create)

    def override_with_value(self, value: T) -> Override:
        """Return an override with another initial value."""
        return self.override_fixed(value)


class StateProviderBuilder(Builder["StateProviderFamilyBuilder"]):
    """Declares ``StateProvider`` with options."""

    __slots__ = ()

    def __call__(self, create: Callable[[Ref], T]) -> StateProvider[T]:
        """Declare a provider."""
        return StateProvider[T].made(create, self._options)


class StateProviderFamilyBuilder(FamilyBuilder):
    """Declares families of ``StateProvider`` with options."""

    __slots__ = ()

    def __call__(
        self, create: Callable[Concatenate[Ref, P], T]
    ) -> Family[P, Callable[Concatenate[Ref, P], T], StateProvider[T]]:
        """Declare a family; its arguments are the parameters of the function after ``ref``."""
        return Family(create, self._options, StateProvider[T].made, passes_ref=True)


StateProvider.auto_dispose = StateProviderBuilder(AUTO_DISPOSE, StateProviderFamilyBuilder)
StateProvider.family = StateProviderFamilyBuilder(DEFAULT)

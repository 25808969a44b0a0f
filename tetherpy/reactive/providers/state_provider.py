"""``StateProvider``: a value that anyone may set."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Generic, ParamSpec, TypeVar

from ..container.overrides import Override
from ..container.ref import Ref
from ..errors import UnmountedRefError
from ..graph.element import Element
from ..graph.propagation import read_state, set_value
from ..graph.retry import Retry
from .notifiers.notifier_of import NotifierOf
from .provider import Family, ProviderBase
from .provider_options import AUTO_DISPOSE, DEFAULT, ProviderOptions, make_options

T = TypeVar("T")
P = ParamSpec("P")


class StateController(Generic[T]):
    """Reads and sets the value of a StateProvider."""

    __slots__ = ("_element",)

    def __init__(self, element: Element) -> None:
        self._element = element

    @property
    def state(self) -> T:
        """The current value; setting it tells listeners at once if it changed by ``!=``.

        Raises:
            UnmountedRefError: the provider was disposed.
            ChangeDuringBuildError: another provider is being built.
        """
        element = self._element
        if element.ref is None:
            raise UnmountedRefError(element.provider)
        return read_state(element)  # type: ignore[no-any-return]  # the element holds what create gave

    @state.setter
    def state(self, value: T) -> None:
        set_value(self._element, value)

    def update(self, fn: Callable[[T], T]) -> T:
        """Set the value to ``fn(value)`` and return it."""
        self.state = value = fn(self.state)
        return value


class StateProvider(ProviderBase[T], Generic[T]):
    """A value with an initial one, set through ``provider.notifier``.

    Args:
        create: called with a Ref; returns the initial value, again after each rebuild.
        name: shown instead of the function's name.
        auto_dispose: dispose the value when nobody uses it any more.
        dependencies: the scoped providers it uses; naming any (or none: ``[]``) makes it scoped.
        retry: when to build it again after a failure.
    """

    __slots__ = ()

    build_type = Ref
    auto_dispose: ClassVar[StateProviderBuilder]
    family: ClassVar[StateProviderFamilyBuilder]

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
    ) -> StateProviderBuilder:
        """Return a decorator with these options; ``.family`` of it declares a family."""
        return StateProviderBuilder(make_options(name, auto_dispose, dependencies, retry))

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
        """Return an override with another initial value's function."""
        return self.override_create(create)

    def override_with_value(self, value: T) -> Override:
        """Return an override with another initial value."""
        return self.override_fixed(value)


class StateProviderBuilder:
    """Declares ``StateProvider``s with options."""

    __slots__ = ("_options",)

    def __init__(self, options: ProviderOptions) -> None:
        self._options = options

    def __call__(self, create: Callable[[Ref], T]) -> StateProvider[T]:
        """Declare a provider."""
        return StateProvider[T].made(create, self._options)

    @property
    def family(self) -> StateProviderFamilyBuilder:
        """Declares families with the same options."""
        return StateProviderFamilyBuilder(self._options)


class StateProviderFamilyBuilder:
    """Declares families of ``StateProvider``s."""

    __slots__ = ("_options",)

    def __init__(self, options: ProviderOptions) -> None:
        self._options = options

    def __call__(
        self, create: Callable[Concatenate[Ref, P], T]
    ) -> Family[P, Callable[Concatenate[Ref, P], T], StateProvider[T]]:
        """Declare a family; its arguments are those of the function after ``ref``."""
        return Family(create, self._options, StateProvider[T].made, passes_ref=True)


StateProvider.auto_dispose = StateProviderBuilder(AUTO_DISPOSE)
StateProvider.family = StateProviderFamilyBuilder(DEFAULT)

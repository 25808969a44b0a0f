"""``StateProvider``: a value that can be set from outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Generic, ParamSpec, TypeAlias, TypeVar, Unpack, cast

import attrs

from ..asynchronous.async_provider_base import AsyncProviderBase
from ..asynchronous.async_value import AsyncState
from ..container.overrides import Override
from ..container.ref import Ref
from ..errors import UnmountedRefError
from ..graph.element import Element
from ..graph.listenable import ProviderListenable
from ..graph.node_states import BUILDING
from ..graph.updates.read import read_state
from ..graph.updates.set_value import set_value
from ..persistence.codec import Codec, Migrate, codec_of, type_of
from ..persistence.keeper import persist, tell_edited
from ..persistence.storage import FOREVER, Storage, StorageOptions
from ..persistence.storage_writer import Writer
from .builders import Builder, FamilyBuilder
from .notifiers.notifier_of import NotifierOf
from .provider import Family, ProviderBase
from .provider_options import AUTO_DISPOSE, DEFAULT, OptionArguments, make_options

T = TypeVar("T")
V = TypeVar("V")
P = ParamSpec("P")


StorageSource: TypeAlias = (
    Storage[str, str]
    | ProviderListenable[Storage[str, str]]
    | ProviderListenable[AsyncState[Storage[str, str]]]
    | ProviderListenable[Awaitable[Storage[str, str]]]
)


class StateController(Generic[T]):
    """Reads and sets the value of a StateProvider."""

    __slots__ = ("_element", "_restored", "_writers")

    def __init__(self, element: Element) -> None:
        self._element = element
        self._restored: Awaitable[None] | None = None
        self._writers: dict[Any, Writer] | None = None

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
        if self._writers is not None and self._element.state != BUILDING:
            tell_edited(self._element, self._writers)

    async def restored(self) -> None:
        """Wait until the stored value of a persisted provider was read; without persistence return at once."""
        if self._restored is not None:
            await self._restored

    def persist(self, storage: Any, key: Any, codec: Codec, options: StorageOptions) -> None:
        """Persist the value during the current build; called by the library."""
        if self._writers is None:
            self._writers = {}
        self._restored = persist(self._element, self._writers, storage, key, codec, options)

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
        """Return ``@StateProvider`` with these options preset; its ``.family`` declares families with them."""
        return StateProviderBuilder(make_options(**options), StateProviderFamilyBuilder)

    @staticmethod
    def persisted(
        key: str,
        initial: V,
        *,
        storage: StorageSource,
        as_type: Any = None,
        version: int = 0,
        migrate: Migrate | None = None,
        options: StorageOptions = FOREVER,
    ) -> StateProvider[V]:
        """Declare a value that is stored when it is set, and restored at the next start.

        The provider has the initial value until the stored one was read (``await controller.restored()``); a value that
        is set before that wins. Errors, ``version`` and ``migrate`` are as in ``Notifier.persist``.

        Args:
            key: the key in the storage, and the provider's name.
            initial: the value without a stored one.
            storage: a storage, or a Provider or FutureProvider of one.
            as_type: the type that JSON is decoded to; by default the type of ``initial``, for collections with
                plain items.
            version: the version of the value's schema; raise it when the schema changes.
            migrate: called with older stored data (as plain JSON values) and its version; returns it in the new form.
            options: the time to keep the data, by default without limit, and the key that invalidates old data.
        """
        kind = type_of(initial) if as_type is None else as_type
        options = attrs.evolve(options, version=version)

        def create(ref: Ref) -> V:
            codec = codec_of(None, None, migrate, lambda: kind)
            source: Any = storage
            if isinstance(storage, AsyncProviderBase):
                source = ref.watch(cast("Any", storage).future)
            elif isinstance(storage, ProviderListenable):
                source = ref.watch(storage)
            ref.element.notifier.persist(source, key, codec, options)
            return initial

        return StateProvider[V](create, name=key)

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

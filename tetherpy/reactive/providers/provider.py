"""The base class of all providers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import partial
from threading import Lock
from types import FunctionType
from typing import Any, ClassVar, Generic, ParamSpec, Self, TypeAlias, TypeVar
from weakref import WeakValueDictionary

from ..container.overrides import Overridable, Override
from ..errors import FamilyArgumentsError, NotAProviderError, UnhashableArgumentError
from ..graph.element import Element, Host
from ..graph.listenable import ProviderListenable, Refreshable
from ..graph.retries.retry_policy import Retry
from ..graph.updates.read import read
from ..graph.users import request_disposal
from .declaration import MISSING, YIELDS, check_create, check_replacement, check_takes_ref
from .family_arguments import PLAIN, Arguments, key_of, text_of
from .pickling import found_by_name
from .provider_options import DEFAULT, ProviderOptions, make_options

T_co = TypeVar("T_co", covariant=True)
P = ParamSpec("P")
C = TypeVar("C")


class ProviderBase(Refreshable[T_co], Overridable):
    """A declaration of a value: how to create it. The value itself lives in containers.

    Providers are equal by identity; members of a family are the same object for the same arguments. A copy of a
    provider is the provider itself, and a pickle stores its module and global name.

    Attributes:
        settings: its options.
        membership: the family it is a member of and the arguments of the call, or None.
    """

    __slots__ = ("__weakref__", "_create", "membership", "settings")

    ephemeral: ClassVar[bool] = False
    synthetic: ClassVar[bool] = False
    streams: ClassVar[bool] = False
    """Whether its function may be an async generator."""
    takes_ref: ClassVar[bool] = True
    """Whether its function is called with a Ref alone; that of a notifier is called without arguments."""

    def __init__(
        self,
        create: Callable[..., Any] = MISSING,
        *,
        name: str | None = None,
        auto_dispose: bool = False,
        dependencies: Iterable[Any] | None = None,
        retry: Retry | None = None,
        scope: str | None = None,
    ) -> None:
        if type(create) is not FunctionType or create.__code__.co_flags & YIELDS:
            check_create(type(self), create, streams=self.streams)
        if self.takes_ref and type(create) is FunctionType and create.__code__.co_argcount != 1:
            check_takes_ref(type(self), create)
        self._create = create
        if name is None and dependencies is None and retry is None and scope is None and not auto_dispose:
            self.settings = DEFAULT  # make_options() would return the same object
        else:
            self.settings = make_options(name, auto_dispose, dependencies, retry, scope)
        self.membership: tuple[Family[Any, Any, Any], Arguments] | None = None

    @classmethod
    def made(
        cls,
        create: Callable[..., Any],
        options: ProviderOptions,
        membership: tuple[Family[Any, Any, Any], Arguments] | None = None,
    ) -> Self:
        """Return a provider with the given options; called by builders and families."""
        if membership is None:  # a family has checked its function
            check_create(cls, create, streams=cls.streams)
            if cls.takes_ref and type(create) is FunctionType:
                check_takes_ref(cls, create)
        provider = cls.__new__(cls)
        provider._create = create
        provider.settings = options
        provider.membership = membership
        return provider

    @property
    def name(self) -> str:
        """The name given, or the name of the function or class; members of a family share it."""
        if self.membership is not None:
            return self.membership[0].name
        return self.settings.name or name_of(self._create)

    @property
    def is_auto_dispose(self) -> bool:
        """Whether the value is disposed when it has no users."""
        return self.settings.auto_dispose

    @property
    def retry(self) -> Retry | None:
        """The retry policy after a failed build; None uses the policy of the container."""
        return self.settings.retry

    @property
    def origin(self) -> Self:
        """This object."""
        return self

    @property
    def of_family(self) -> Family[Any, Any, Any] | None:
        """The family it is a member of, or None."""
        return None if self.membership is None else self.membership[0]

    @property
    def argument(self) -> Arguments | None:
        """The arguments of the family's call: positional arguments, then pairs of keyword and value."""
        return None if self.membership is None else self.membership[1]

    def node_in(self, host: Host) -> Element:
        """Return its element as seen from a container, mounted in the container that owns it."""
        return host.find(self)

    def read_in(self, host: Host) -> T_co:
        """Return the current value in a container, building it if needed."""
        element = host.find(self)
        value = read(element)
        if self.settings.auto_dispose:
            request_disposal(element)
        return value  # type: ignore[no-any-return]  # the value that create returned

    def element_in(self, host: Host) -> Element:
        """Return a new element with the function of this provider."""
        element = Element(host, self, None)
        self.attach_own(element)
        return element

    def attach_own(self, element: Element) -> None:
        """Prepare an element with the function of this provider."""
        self.attach_with(element, self._create)

    def attach_with(self, element: Element, create: Callable[..., Any]) -> None:
        """Prepare an element with a function of the kind that this class is declared with."""
        raise NotImplementedError

    def override_create(self, create: Callable[..., Any]) -> Override:
        """Return the override that uses another function.

        Raises:
            NotCallableError: ``create`` cannot be called.
            DeclarationError: ``create`` has a ``yield``.
        """
        check_replacement(self, create, streams=self.streams)
        return Override(self, lambda element, provider: provider.attach_with(element, create))

    def override_fixed(self, value: object) -> Override:
        """Return the override whose function returns a fixed value."""

        def fixed(_: object) -> object:
            return value

        return self.override_create(fixed)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.membership is not None:
            family, arguments = self.membership
            return _member, (family, arguments)
        return found_by_name(self, self._create)

    def __repr__(self) -> str:
        arguments = "" if self.argument is None else text_of(self.argument)
        return f"{type(self).__name__}({self.name}{arguments})"


def name_of(create: object) -> str:
    """Return the name of a function or class, or of the type of a callable object."""
    return str(getattr(create, "__name__", type(create).__name__))


Make: TypeAlias = Callable[[Callable[..., Any], ProviderOptions, "tuple[Family[Any, Any, Any], Arguments]"], C]


class Family(Overridable, Generic[P, C, T_co]):
    """Providers by argument: two calls with the same arguments return the same provider.

    Args:
        create: called with the arguments, after a Ref if ``passes_ref`` is set.
        options: options of all members.
        make: creates a member from its function.
        passes_ref: whether the first parameter of ``create`` is a Ref.
        streams: whether ``create`` may be an async generator.
    """

    __slots__ = (
        "__weakref__",
        "_arity",
        "_create",
        "_lock",
        "_make",
        "_members",
        "_passes_ref",
        "_signature",
        "settings",
        "streams",
    )

    ephemeral: ClassVar[bool] = False
    membership: ClassVar[None] = None
    of_family: ClassVar[None] = None

    def __init__(
        self,
        create: Callable[..., Any],
        options: ProviderOptions,
        make: Make[T_co],
        *,
        passes_ref: bool,
        streams: bool = False,
    ) -> None:
        check_create("A family", create, streams=streams)
        self._create = create
        self.streams = streams
        self.settings = options
        self._make = make
        self._passes_ref = passes_ref
        signature = inspect.signature(create)
        parameters = list(signature.parameters.values())[1 if passes_ref else 0 :]
        self._signature = signature.replace(parameters=parameters)
        plain = all(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
        self._arity = len(parameters) if plain else -1
        self._members: WeakValueDictionary[object, Any] = WeakValueDictionary()
        self._lock = Lock()

    @property
    def name(self) -> str:
        """The name given, or the name of the function or class."""
        return self.settings.name or name_of(self._create)

    @property
    def origin(self) -> Self:
        """This object."""
        return self

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T_co:
        """Return the provider for these arguments.

        Two calls are the same if the arguments are equal and have the same types; it does not matter whether an
        argument is given by position, by keyword or by default.

        Raises:
            FamilyArgumentsError: the arguments do not match the signature.
            UnhashableArgumentError: one is not hashable.
        """
        named: tuple[tuple[str, Any], ...] = ()
        positional: tuple[Any, ...] = args
        key: object = args
        try:
            if kwargs or len(args) != self._arity:
                positional, named = self._bind(args, kwargs)
                key = key_of(positional, named)
            else:
                for value in positional:  # key_of(), inlined for plain arguments
                    if type(value) not in PLAIN:
                        key = key_of(positional)
                        break
            member = self._members.get(key)
        except TypeError as error:
            unhashable = self._unhashable((positional, named))
            raise error if unhashable is None else unhashable from None
        if member is None:
            with self._lock:
                member = self._members.get(key)
                if member is None:
                    arguments = (positional, named)
                    member = self._make(self._bound(self._create, arguments), self.settings, (self, arguments))
                    self._members[key] = member
        return member

    def override_with(self, create: C) -> Override:
        """Return an override of every member with a function of the same signature.

        Raises:
            NotCallableError: ``create`` cannot be called.
            DeclarationError: ``create`` has a ``yield``.
        """
        check_replacement(self, create, streams=self.streams)
        return Override(
            self,
            lambda element, provider: provider.attach_with(element, self._bound(create, provider.argument)),
        )

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise FamilyArgumentsError(self, str(error)) from None
        bound.apply_defaults()
        return bound.args, tuple(sorted(bound.kwargs.items()))

    def _bound(self, create: Any, arguments: Arguments) -> Callable[..., Any]:
        args, kwargs = arguments
        named = dict(kwargs)
        if not self._passes_ref:
            return partial(create, *args, **named)

        def with_ref(ref: Any) -> Any:
            return create(ref, *args, **named)

        return with_ref

    def _unhashable(self, arguments: Arguments) -> UnhashableArgumentError | None:
        args, kwargs = arguments
        names = [*self._signature.parameters]
        for name, value in (*zip(names, args, strict=False), *kwargs):
            try:
                hash(value)
            except TypeError:
                return UnhashableArgumentError(self, name, value)
        return None

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return found_by_name(self, self._create)

    def __repr__(self) -> str:
        return f"Family({self.name})"


def _member(family: Family[Any, Any, Any], arguments: Arguments) -> Any:
    """Return the member of a family that was pickled."""
    args, kwargs = arguments
    return family(*args, **dict(kwargs))


def check_listenable(given: object) -> None:
    """Check that an object can be read, watched and listened to.

    Raises:
        NotAProviderError: it is another object.
    """
    if not isinstance(given, ProviderListenable):
        raise NotAProviderError(given, "read, watched or listened to", _remedy(given)) from None


def check_target(given: object) -> None:
    """Check that an object to invalidate or inspect is a provider or a family.

    Raises:
        NotAProviderError: it is another object.
    """
    if not isinstance(given, (ProviderBase, Family)):
        raise NotAProviderError(given, "invalidated or inspected", _remedy(given)) from None


def _remedy(given: Any) -> str:
    if isinstance(given, ProviderListenable):
        return f"It is derived from a provider. Give that provider, {given.origin!r}."
    if isinstance(given, Family):
        return f"It is a family: call it with its arguments to get a provider, as in `{given.name}(...)`."
    if isinstance(given, str):
        return "Providers are not looked up by name. Give the provider itself."
    if callable(given):
        return "It is a function, not a provider: declare it with `@Provider` before the function."
    return "Give a provider, or the result of its .select(...), .future or .notifier."

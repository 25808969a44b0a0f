"""``ProviderContainer``: holds the state of providers, reads it and changes it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, Unpack, cast

from tetherpy.iteration import PushedValues
from tetherpy.observables import observable

from ..errors import (
    BatchOverAwaitError,
    ChangeDuringBuildError,
    NotBuiltError,
    NoTestError,
    OverrideMismatchError,
    ProviderError,
)
from ..graph.explain import Explanation, explain
from ..graph.invalidation import Invalidation, invalidate
from ..graph.listenable import ProviderListenable, Refreshable
from ..graph.subscription import OnChange, OnError, ProviderSubscription, subscribe
from ..lifecycle.running_loop import running_loop
from ..providers.provider import Family, ProviderBase, check_listenable
from .closable_container import ClosableContainer
from .container_host import ContainerOptions
from .overrides import OverrideTable, Overriding, overrides_of
from .scoping import built, overridden_by

if TYPE_CHECKING:
    from reactivex import Observable

T = TypeVar("T")


class ProviderContainer(ClosableContainer):
    """Holds the values of providers; a provider is only a declaration.

    A container can be used only in the thread that created it.

    Args:
        overrides: replacements for providers, in this container and its children.
        observers: notified of all events in this container and its children.
        retry: the retry policy for failed builds; None (the default) does not retry.
        on_error: called with each unhandled error and its provider; by default errors are logged.
        parent: the parent container; all providers that are not scoped are shared with it.
        scope: the name of the scope that begins here: providers declared with it live in this container.
        separate: in a child, let providers without a scope live here, except those that a parent has built. Any
            provider may be overridden then.

    Raises:
        NotScopedError: a child container overrides a provider declared without ``dependencies``.
        DuplicateOverrideError: two overrides of one provider.
        ContainerDisposedError: the parent is disposed.
    """

    __slots__ = ()

    overrides: OverrideTable | None

    test_scope: ClassVar[list[ProviderContainer] | None] = None
    """The list to which ``test`` adds its containers; set by the pytest plugin, None outside tests."""

    @classmethod
    def test(cls, *, parent: Self | None = None, **options: Unpack[ContainerOptions]) -> Self:
        """Create a container that is disposed automatically when the test ends; arguments as for the class.

        Raises:
            NoTestError: no pytest test is running, or the plugin is not installed.
        """
        if cls.test_scope is None:
            raise NoTestError(cls)
        container = cls(parent=parent, **options)
        cls.test_scope.append(container)
        return container

    def child(self, **options: Unpack[ContainerOptions]) -> Self:
        """Create a child container, for example of one request; close it with ``with`` or ``async with``.

        Args:
            scope: the name of the scope that begins here, such as ``"request"``.
            overrides: replacements for providers of this scope, and for those declared with ``dependencies``.
            observers: notified of the events in the child, in addition to the observers of this container.
            retry: the retry policy in the child; None uses the policy of this container.
            on_error: called with the unhandled errors of the child; None uses that of this container.
            separate: let providers without a scope live in the child, except those that this container has built.

        Raises:
            NotScopedError: an override is of a provider that neither has this scope nor declares ``dependencies``.
        """
        return type(self)(parent=self, **options)

    # -- reading ---------------------------------------------------------------------------------

    def read(self, listenable: ProviderListenable[T]) -> T:
        """Return the current value, building the provider if needed.

        An auto-dispose provider without listeners is disposed on the next turn.

        Raises:
            ProviderError: the provider is in error.
            CircularDependencyError: the provider is being built.
            ContainerDisposedError: this container is disposed.
            WrongThreadError: called from another thread.
        """
        try:
            element = self.elements[listenable]
        except (KeyError, TypeError):
            pass  # built or refused below, outside this handler, so that its errors have no KeyError as context
        else:
            if not element.state:
                loop = running_loop()
                # The loop that is served runs only in the thread of the container.
                if loop is self.scheduler.loops.served and (loop is not None or get_ident() == self._thread):
                    return element.value  # type: ignore[no-any-return]  # the element of a ProviderListenable[T] holds a T
        return self._read(listenable)

    def _read(self, listenable: ProviderListenable[T]) -> T:
        self.check()
        check_listenable(listenable)
        self.scheduler.depth += 1
        try:
            return listenable.read_in(self)
        finally:
            self.scheduler.leave()

    def listen(
        self,
        listenable: ProviderListenable[T],
        callback: OnChange[T],
        *,
        fire_immediately: bool = False,
        on_error: OnError | None = None,
        weak: bool = False,
    ) -> ProviderSubscription[T]:
        """Call ``callback(previous, next)`` after each change, until the subscription or this container is closed.

        Args:
            listenable: the provider, or a part of one; it is built now unless ``weak`` is set.
            callback: called with the previous and the new value.
            fire_immediately: also call it now, with ``previous`` None.
            on_error: called with the error when the provider fails.
            weak: neither build the provider nor keep it alive.
        """
        return self._subscribe(listenable, callback, on_error, fire_immediately=fire_immediately, weak=weak)

    def _subscribe(
        self,
        listenable: ProviderListenable[T],
        callback: OnChange[T],
        on_error: OnError | None,
        *,
        fire_immediately: bool = True,
        weak: bool = False,
        on_close: Callable[[], object] | None = None,
    ) -> ProviderSubscription[T]:
        self.check()
        check_listenable(listenable)
        element = listenable.node_in(self)
        guests = None
        if self.parent is not None and (element.host is not self or element.provider.ephemeral):
            # The element belongs to a parent, which outlives this container and must not call into it afterwards.
            guests = self._guests = {} if self._guests is None else self._guests
        return subscribe(
            element, callback, on_error, fire_immediately=fire_immediately, weak=weak, on_close=on_close, guests=guests
        )

    def observe(self, listenable: ProviderListenable[T]) -> Observable[T]:
        """Return a cold Rx observable: the current value on subscribe, then each change.

        It completes when this container is disposed, and errors when a ``Provider`` fails.
        """
        return observable(partial(self._push, listenable))

    def stream(self, listenable: ProviderListenable[T]) -> PushedValues[T]:
        """Iterate over the current value and each change; a slow consumer gets only the latest value.

        Raises:
            ProviderError: the provider is in error.
        """

        def listen(
            on_next: Callable[[T], None],
            on_error: Callable[[Exception], None],
            on_completed: Callable[[], None],
        ) -> Callable[[], None]:
            def fail(error: Exception) -> None:
                on_error(ProviderError(listenable, error))

            return self._push(listenable, on_next, fail, on_completed)

        return PushedValues(listen)

    def _push(
        self,
        listenable: ProviderListenable[T],
        on_next: Callable[[T], None],
        on_error: Callable[[Exception], None],
        on_completed: Callable[[], None],
    ) -> Callable[[], None]:
        subscription = self._subscribe(listenable, lambda _, value: on_next(value), on_error, on_close=on_completed)
        # Rx operators may dispose in any thread.
        return partial(self._in_own_thread, subscription.close)

    # -- changing --------------------------------------------------------------------------------

    def invalidate(self, target: ProviderBase[Any] | Family[Any, Any, Any], *, as_reload: bool = False) -> None:
        """Mark a provider (or every member of a family) for a rebuild: next turn if it has listeners, else on read.

        The disposers of the current build run immediately.

        Args:
            target: a provider or a family; providers that were never built are not affected.
            as_reload: let asynchronous providers show loading as if a dependency had changed.
        """
        self.check()
        self.invalidate_by("container.invalidate", target, as_reload=as_reload)

    def invalidate_by(self, by: str, target: Any, *, as_reload: bool) -> None:
        """Invalidate for the given caller, which ``explain`` names; used by containers, Refs and mutations."""
        reason = Invalidation(by, as_reload)
        with self._together():
            for element in built(self, target):
                invalidate(element, reason)

    def refresh(self, refreshable: Refreshable[T]) -> T:
        """Invalidate a provider and read it immediately."""
        check_listenable(refreshable)
        self.invalidate(cast("ProviderBase[Any]", refreshable.origin))
        return self.read(refreshable)

    def exists(self, provider: ProviderBase[Any]) -> bool:
        """Return whether the provider is built in the container that owns it, and not disposed."""
        self.check()
        return bool(built(self, provider))

    def all_providers(self, *, family: Family[Any, Any, Any] | None = None) -> list[ProviderBase[Any]]:
        """Return the built providers that are visible from this container, or only those of one family.

        Providers of this container come first, then those of its parents (Riverpod).
        """
        self.check()
        found: dict[ProviderBase[Any], None] = {}
        container: ProviderContainer | None = self
        while container is not None:
            for provider, element in container.elements.items():
                if element.ref is not None and (family is None or provider.of_family is family):
                    found[provider] = None
            container = container.parent
        return list(found)

    def update_overrides(self, overrides: Iterable[Overriding]) -> None:
        """Replace the overrides; they must be of the same providers, in the same order.

        Raises:
            OverrideMismatchError: the providers or their order differ.
        """
        self.check()
        replaced = overrides_of(overrides)
        current = {} if self.overrides is None else self.overrides.by_origin
        given = [override.origin for override in replaced]
        if list(current) != given:
            raise OverrideMismatchError(list(current), given)
        if self.overrides is None:
            return
        if self.scheduler.building is not None:
            raise ChangeDuringBuildError(self, self.scheduler.building.provider)
        self.overrides = OverrideTable(replaced, within=self.overridable)
        reason = Invalidation("update_overrides", manual=False)
        with self._together():
            for element in overridden_by(self):
                override = self.overrides.of(element.provider)
                if override is not None and override != current.get(override.origin):
                    override.attach(element, element.provider)
                    invalidate(element, reason)

    @contextmanager
    def batch(self) -> Generator[None]:
        """Apply several changes together: dependents are refreshed and listeners called at the end of the block.

        Under a running event loop all changes of one turn are batched already; ``batch`` is for scripts without one.

        Raises:
            BatchOverAwaitError: the block awaited; its changes were delivered at the await.
        """
        self.check()
        scheduler = self.scheduler
        awaited = False

        def end() -> None:
            nonlocal awaited
            awaited = True
            scheduler.leave()

        loop = running_loop()
        turn = None if loop is None else loop.call_soon(end)
        scheduler.depth += 1
        try:
            yield
        finally:
            if turn is not None:
                turn.cancel()
            if not awaited:
                scheduler.leave()
        if awaited:
            raise BatchOverAwaitError(self)

    @contextmanager
    def _together(self) -> Generator[None]:
        self.scheduler.depth += 1
        try:
            yield
        finally:
            self.scheduler.leave()

    async def pump(self) -> None:
        """Wait until every scheduled refresh and disposal has run."""
        self.check()
        await self.scheduler.pump()

    def explain(self, provider: ProviderBase[Any]) -> Explanation:
        """Return why the provider was last built, its dependencies and its dependents.

        Raises:
            NotBuiltError: the provider is not built.
        """
        self.check()
        for element in built(self, provider):
            return explain(element)
        raise NotBuiltError(provider, self)

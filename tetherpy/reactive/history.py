"""``History``: undo and redo of changes of synchronous state."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, Final, Literal, TypeAlias

import attrs

from tetherpy.closable import Closable

from .asynchronous.pending_changes import confirmed_state
from .container.provider_container import ProviderContainer
from .errors import ChangeDuringBuildError, HistoryClosedError, NotUndoableError, ReactiveArgumentError
from .graph.element import NO_VALUE, Element
from .graph.listenable import ProviderListenable
from .providers.notifier_provider import NotifierProvider
from .providers.state_provider import StateProvider
from .values.comparison import differs

LIMIT: Final = 100


@attrs.frozen
class HistoryStatus:
    """What a history can do now."""

    can_undo: bool
    can_redo: bool


@attrs.frozen(eq=False)
class _Edit:
    """A change of one provider; it is undone only in the build that it was made in."""

    build: object
    before: Any
    after: Any


_Step: TypeAlias = dict[Element, _Edit]
_Steps: TypeAlias = deque[_Step] | list[_Step]


class History(Closable):
    """Undoes and redoes changes of the state of ``StateProvider`` and ``NotifierProvider`` in a container.

    Changes of one operation are one step: all of a ``container.batch()``, with those that listeners make in response.
    A new change removes the steps to redo. When a provider is rebuilt, because a dependency has changed or it was
    invalidated, its steps are removed: they belong to the former state. A pending optimistic update is no
    step until it is confirmed, and a state that is read from a storage is none. The providers are built, and kept
    alive until the history is closed.

    Args:
        container: the container whose state is followed.
        providers: the providers whose changes are recorded; of a family its members.
        limit: the number of steps that are kept, from 1.

    Attributes:
        status: what can be undone and redone, to watch and to listen to.

    Raises:
        NotUndoableError: a provider is derived or asynchronous, or a family.
        ReactiveArgumentError: ``limit`` is less than 1, or ``providers`` is no collection.
    """

    def __init__(
        self,
        container: ProviderContainer,
        providers: Iterable[StateProvider[Any] | NotifierProvider[Any, Any]],
        *,
        limit: int = LIMIT,
    ) -> None:
        if type(limit) is not int or limit < 1:
            raise ReactiveArgumentError("limit", limit, "it must be an integer from 1")
        if not isinstance(providers, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ReactiveArgumentError("providers", providers, "it must be a list of providers")
        given: tuple[Any, ...] = tuple(dict.fromkeys(providers))
        for provider in given:
            if not isinstance(provider, (StateProvider, NotifierProvider)):
                raise NotUndoableError(provider)
        self._container = container
        self._undo: deque[_Step] = deque(maxlen=limit)
        self._redo: list[_Step] = []
        self._known: dict[Element, tuple[object, Any]] = {}
        self._restored: dict[Element, object] = {}
        self._is_recording = False
        self._is_applying = False
        self._is_closed = False
        self._status = StateProvider.options(name="history_status", auto_dispose=True)(lambda _: self._status_now())
        self.status: ProviderListenable[HistoryStatus] = self._status
        self._subscriptions = [container.listen(provider, self._changed) for provider in given]
        for provider in given:
            self._follow(container.find(provider))

    @property
    def can_undo(self) -> bool:
        """Whether ``undo`` has a step to undo."""
        return self._status_now().can_undo

    @property
    def can_redo(self) -> bool:
        """Whether ``redo`` has a step to redo."""
        return self._status_now().can_redo

    def undo(self) -> bool:
        """Undo the last step; return False if there is none.

        Raises:
            HistoryClosedError: the history is closed.
            ChangeDuringBuildError: called while a provider is built.
        """
        return self._move(self._undo, self._redo, "before")

    def redo(self) -> bool:
        """Redo the last step that was undone; return False if there is none. It raises as ``undo`` does."""
        return self._move(self._redo, self._undo, "after")

    def clear(self) -> None:
        """Forget all steps, for example after another document was opened."""
        self._check()
        self._record()
        self._undo.clear()
        self._redo.clear()
        self._show_status()

    def close(self) -> None:
        """Stop recording and forget all steps. A second call does nothing."""
        if not self._is_closed:
            self._is_closed = True
            for subscription in self._subscriptions:
                subscription.close()
            self._undo.clear()
            self._redo.clear()
            self._known.clear()
            self._restored.clear()
            self._show_status()

    def _check(self) -> None:
        if self._is_closed:
            raise HistoryClosedError
        self._container.check()
        building = self._container.scheduler.building
        if building is not None:
            raise ChangeDuringBuildError(self, building.provider)

    # -- recording -------------------------------------------------------------------------------

    def _follow(self, element: Element) -> None:
        """Take the present state of a build as the one before the next edit."""
        self._known[element] = (element.ref, confirmed_state(element))
        self._restored[element] = _restored_in(element)
        if element.ref is not None:
            element.ref.on_dispose(lambda: self._later(element, _rebuilt))

    def _changed(self, previous: object, value: object) -> None:
        if not self._is_recording and self._known:
            self._is_recording = True
            self._later(next(iter(self._known)), _record_at_end)

    def _later(self, element: Element, call: Any) -> None:
        scheduler = self._container.scheduler
        scheduler.depth += 1
        try:
            scheduler.callbacks.append((call, (element, self)))
        finally:
            scheduler.leave()

    def rebuilt(self, element: Element) -> None:
        """Follow the next build of an element; called by the library."""
        if self._is_closed or self._container.disposed or element not in self._known:
            return
        if element.state > 0:
            self._container.read(element.provider)
        if self._known[element][0] is not element.ref:
            self._follow(element)
        self._show_status()

    def record_at_end(self, element: Element) -> None:
        """Record what an operation has changed, once the callbacks that react to it have run."""
        callbacks = self._container.scheduler.callbacks
        if any(call is not _record_at_end for call, _ in callbacks):
            self._later(element, _record_at_end)
            return
        self._is_recording = False
        if not self._is_closed:
            self._record()

    def _record(self) -> None:
        self._take_restored()
        step = self._differences()
        for element, edit in step.items():
            self._known[element] = (edit.build, edit.after)
        if step and not self._is_applying:
            self._undo.append(step)
            self._redo.clear()
            self._show_status()

    def _take_restored(self) -> None:
        """Take a state that was read from a storage as the one before the next edit: undoing must not overwrite it."""
        for element, (build, _) in self._known.items():
            if element.ref is build and self._restored[element] is not (restored := _restored_in(element)):
                self._restored[element] = restored
                self._known[element] = (build, confirmed_state(element))

    def _differences(self) -> _Step:
        step: _Step = {}
        for element, (build, before) in self._known.items():
            after = confirmed_state(element)
            if element.ref is build and after is not NO_VALUE and differs(before, after):
                step[element] = _Edit(build, before, after)
        return step

    # -- undoing ---------------------------------------------------------------------------------

    def _move(self, source: _Steps, target: _Steps, state: Literal["before", "after"]) -> bool:
        """Set the states before or after the last step of ``source``, and move the step to ``target``."""
        self._check()
        self._record()
        if source and (step := self._last(source)):
            self._set({element: (edit.build, getattr(edit, state)) for element, edit in step.items()})
            target.append(step)
            self._show_status()
            return True
        return False

    def _last(self, steps: _Steps) -> _Step | None:
        """Remove the last step that can still be applied, with those after it, and return it."""
        while steps:
            step = {element: edit for element, edit in steps.pop().items() if element.ref is edit.build}
            if step:
                return step
        return None

    def _set(self, states: dict[Element, tuple[object, Any]]) -> None:
        self._known.update(states)
        scheduler = self._container.scheduler
        # What listeners change in response belongs to this step and is no new edit.
        self._is_applying = not scheduler.depth
        scheduler.depth += 1
        try:
            for element, (_, state) in states.items():
                element.notifier.state = state
        finally:
            try:
                scheduler.leave()
            finally:
                self._is_applying = False

    # -- status ----------------------------------------------------------------------------------

    def _status_now(self) -> HistoryStatus:
        self._take_restored()
        edited = bool(self._differences())
        return HistoryStatus(
            edited or any(map(_is_live, self._undo)),
            not edited and any(map(_is_live, self._redo)),
        )

    def _show_status(self) -> None:
        if not self._container.disposed and self._container.exists(self._status):
            self._container.read(self._status.notifier).state = self._status_now()


def _is_live(step: _Step) -> bool:
    return any(element.ref is edit.build for element, edit in step.items())


def _restored_in(element: Element) -> object:
    """Return the mark of the last state that the current build has read from a storage."""
    hooks = None if element.ref is None else element.ref.hooks
    return None if hooks is None else hooks.restored


def _rebuilt(element: Element, history: History) -> None:
    history.rebuilt(element)


def _record_at_end(element: Element, history: History) -> None:
    history.record_at_end(element)

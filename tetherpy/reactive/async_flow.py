"""The asynchronous side of an element: from one AsyncValue to the next, and the promise behind ``.future``."""

from __future__ import annotations

from collections.abc import Callable
from threading import get_ident
from typing import Any, Final

from .announcing import report_failure
from .async_value import AsyncData, AsyncError, AsyncLoading, AsyncValue
from .edges import activate, add_listener, deactivate, let_go, remove_listener
from .element import NO_VALUE, Element
from .errors import ProviderDisposedError
from .failures import is_of_others, is_still_loading
from .invalidation import Invalidation, invalidate
from .promise import Loan, Promise
from .propagation import set_value
from .retrying import pause_retrying, schedule_retry, stop_retrying
from .sources import Sink, Source

Begin = Callable[[Sink, Any], Source | None]


class AsyncFlow:
    """Runs the builds of one asynchronous element.

    Args:
        element: the element it belongs to.
        produce: the provider's function.
        begin: starts what that function returned.
    """

    __slots__ = (
        "_begin",
        "_held",
        "_immediate",
        "_is_refresh",
        "_lent",
        "_produce",
        "_source",
        "element",
        "loading",
        "promise",
    )

    def __init__(self, element: Element, produce: Callable[[Any], Any], begin: Begin) -> None:
        self.element = element
        self._produce = produce
        self._begin = begin
        self._source: Source | None = None
        self._held: list[tuple[Element, bool]] = []
        self._is_refresh = False
        self._lent = 0
        self._immediate: AsyncValue[Any] | None = None
        self.loading: AsyncValue[Any] = AsyncLoading()
        self.promise: Promise[Any] = Promise()
        element.flow = self
        element.create = self.create

    def create(self, ref: Any) -> AsyncValue[Any]:
        """Begin a build and return the state it starts with."""
        self.stop()
        self._is_refresh = not ref.is_reload
        previous = self.element.value
        self.loading = AsyncLoading()
        if previous is not NO_VALUE:
            self.loading = previous.followed_by(self.loading, is_refresh=self._is_refresh)
        if self.promise.done:
            self.promise = Promise()
        self._clear_immediate()
        try:
            self._source = self._begin(self, self._produce(ref))
        except Exception as error:
            self.error(error)
        if self._held and not self.building:
            self._release()
        return self.loading if self._immediate is None else self._immediate

    def _clear_immediate(self) -> None:
        self._immediate = None

    def replace(self, produce: Callable[[Any], Any], begin: Begin) -> None:
        """Use another function from the next build on."""
        self._produce = produce
        self._begin = begin

    # -- what sources deliver --------------------------------------------------------------------

    def data(self, value: Any) -> None:
        """Take a value: the state becomes AsyncData."""
        self._release()
        self.become(AsyncData(value))

    def error(self, error: Exception) -> None:
        """Take a failure: the state becomes AsyncError, or stays loading if it will be retried.

        An error that only says that something it depends on is still loading leaves it loading.
        """
        self._release()
        if is_still_loading(error):
            return
        if schedule_retry(self.element, error):
            self._set(self._current.retried_after(error))
        else:
            self.become(AsyncError(error))
        if not is_of_others(error):
            report_failure(self.element, error)

    # -- state -----------------------------------------------------------------------------------

    def become(self, state: AsyncValue[Any], *, is_refresh: bool | None = None) -> None:
        """Move to a state, keeping what was known before, and settle the promise accordingly."""
        next_state = self._current.followed_by(state, is_refresh=self._is_refresh if is_refresh is None else is_refresh)
        if state.is_loading:
            if self.promise.done:
                self.promise = Promise()
            self._set(next_state)
            return
        pending = self.promise
        if pending.done:
            pending = self.promise = Promise()
        # The state comes first: whoever awaits the promise reads the new state when it wakes.
        self._set(next_state)
        if not pending.done:
            if isinstance(state, AsyncData):
                stop_retrying(self.element)
                pending.resolve(state.value)
            elif isinstance(state, AsyncError):
                pending.reject(state.error)

    @property
    def _current(self) -> AsyncValue[Any]:
        if self.element.host.scheduler.building is self.element or self.element.value is NO_VALUE:
            return self.loading
        return self.element.value  # type: ignore[no-any-return]  # an element with a flow holds AsyncValues

    def _set(self, state: AsyncValue[Any]) -> None:
        if self.element.host.scheduler.building is self.element:
            self._immediate = state
        else:
            # Nodes of ``.future`` take the promise and nothing else: while it stays, no state is news to them.
            set_value(self.element, state, seen=self.promise)

    # -- life ------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Stop pulling from the source."""
        if self._source is not None:
            self._source.pause()

    def resume(self) -> None:
        """Pull from the source again."""
        if self._source is not None:
            self._source.resume()

    def stop(self) -> None:
        """Cancel what the current build is doing; the promise waits for the next build."""
        pause_retrying(self.element)
        source, self._source = self._source, None
        if source is not None:
            source.stop()

    def dispose(self) -> None:
        """End for good."""
        self.stop()
        self._release()
        if not self.promise.done:
            self.promise.reject(ProviderDisposedError(self.element.provider, awaited=True))

    def interrupted(self) -> None:
        """Have the element built again by whoever uses it next, in another loop: this one is about to end.

        Nothing is scheduled in a loop that is closing, and who waits goes on to wait for the next build.
        """
        self._source = None
        scheduler = self.element.host.scheduler
        scheduler.depth += 1
        try:
            invalidate(self.element, Invalidation("the end of the event loop that built it", manual=False))
        finally:
            scheduler.depth -= 1

    # -- what the last build watched -------------------------------------------------------------

    @property
    def building(self) -> bool:
        """Whether the provider's function has begun and may still watch."""
        return self._source is not None and self._source.building

    def hold(self, source: Element) -> None:
        """Keep in use what the last build watched, until this one has delivered or failed (Riverpod).

        An ``async def`` watches nothing before its first step: without this, everything that only the last
        build used would be paused or disposed by each rebuild, and built again a moment later.
        """
        active = self.element.active > 0
        source.interest += 1
        if active:
            activate(source)
        self._held.append((source, active))

    def _release(self) -> None:
        while self._held:
            source, active = self._held.pop()
            source.interest -= 1
            if active:
                deactivate(source)
            let_go(source)

    # -- lending ---------------------------------------------------------------------------------

    def lend(self) -> Promise[Any] | Loan[Any]:
        """Return the promise for a reader outside the graph, keeping the provider in use until it is settled."""
        if self.promise.done:
            return self.promise
        self._lent += 1
        if self._lent == 1:
            # A reader is a listener: it waits for the value of now, so a changed dependency must not wait.
            add_listener(self.element, READER)
        return Loan(self.promise, self._returned)

    def _returned(self) -> None:
        element = self.element
        if get_ident() != element.host.scheduler.thread:
            element.host.call_soon_threadsafe(self._returned)
            return
        self._lent -= 1
        if not self._lent:
            remove_listener(element, READER, was_active=True)


class _Reader:
    """Those who await the future of a provider, counted as one listener that need not be told anything."""

    weak = False
    is_paused = False

    def notify(self, previous: Any, value: Any, failure: Exception | None) -> None:
        """Do nothing: the promise tells them."""

    def close(self) -> None:
        """Do nothing: the promise tells them of the end too."""


READER: Final = _Reader()


def attach_flow(element: Element, produce: Callable[[Any], Any], begin: Begin) -> None:
    """Prepare an element with an asynchronous function; one that has a flow keeps it, and who waits on it."""
    if isinstance(element.flow, AsyncFlow):
        element.flow.replace(produce, begin)
    else:
        AsyncFlow(element, produce, begin)


def attach_value(element: Element, value: AsyncValue[Any]) -> None:
    """Prepare an element that is overridden with a state."""
    attach_flow(element, lambda _: value, _begin_with)


def _begin_with(sink: Sink, value: Any) -> None:
    sink.become(value)

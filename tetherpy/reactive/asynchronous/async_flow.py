"""The asynchronous side of an element: from one AsyncValue to the next, and the promise behind ``.future``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from ..errors import NoEventLoopError, ProviderDisposedError, StreamEndedError
from ..graph.announcements import report_failure
from ..graph.element import NO_VALUE, Element
from ..graph.invalidation import Invalidation, invalidate, leave_failed
from ..graph.node_states import CLEAN
from ..graph.retries.node_retries import pause_retrying, schedule_retry, stop_retrying
from ..graph.updates.build import NOT_KEPT
from ..graph.updates.failure import waits_for_source
from ..graph.updates.read import refresh
from ..graph.updates.set_value import check_settable, set_value
from ..graph.users import activate, deactivate, request_disposal
from ..lifecycle.teardown import Teardown
from ..values.failures import is_of_others, is_still_loading
from .async_value import AsyncData, AsyncError, AsyncLoading, AsyncValue
from .future_readers import FutureReaders, Loan
from .pending_changes import PendingChanges
from .promise import Promise
from .source import Sink, Source

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
        "_immediate",
        "_is_refresh",
        "_produce",
        "_readers",
        "_source",
        "_waits_for_sources",
        "element",
        "held",
        "loading",
        "pending_changes",
        "promise",
    )

    def __init__(self, element: Element, produce: Callable[[Any], Any], begin: Begin) -> None:
        self.element = element
        self._produce = produce
        self._begin = begin
        self._source: Source | None = None
        #: The sources of the last build, kept in use for the current build; True for those held as an active user.
        self.held: list[tuple[Element, bool]] = []
        self._is_refresh = False
        self._readers: FutureReaders | None = None
        self._waits_for_sources = False
        self._immediate: AsyncValue[Any] | None = None
        self.loading: AsyncValue[Any] = AsyncLoading()
        self.promise: Promise[Any] = Promise()
        #: The optimistic changes that are shown over every state; None while there are none.
        self.pending_changes: PendingChanges | None = None
        element.flow = self
        element.create = self.create

    def create(self, ref: Any) -> AsyncValue[Any]:
        """Begin a build and return the state it starts with."""
        self.stop()
        self._is_refresh = not ref.is_reload
        previous = self._state
        self.loading = AsyncLoading()
        if previous is not NO_VALUE:
            self.loading = previous.followed_by(self.loading, is_refresh=self._is_refresh)
        if self.promise.done:
            self.promise = Promise()
        if self.loading.has_value:
            self.element.host.scheduler.reloading[self.element] = None
        self._clear_immediate()
        try:
            self._source = self._begin(self, self._produce(ref))
        except NOT_KEPT:
            raise
        except Exception as error:
            if ref.hooks is not None:
                leave_failed(self.element, ref.hooks, error)
            if isinstance(error, NoEventLoopError):
                self.element.host.scheduler.loops.call_in_next_loop(self, self._build_again)
            self.error(error)
        if self.held and not self.building:
            self._release()
        return self._shown(self.loading if self._immediate is None else self._immediate)

    def _clear_immediate(self) -> None:
        self._immediate = None

    def _build_again(self) -> None:
        """Rebuild it in the running loop, unless a state was set after it had failed without a loop."""
        element = self.element
        scheduler = element.host.scheduler
        if scheduler.building is not None:
            # A build must not be ended within another one.
            scheduler.loops.call_in_next_loop(self, self._build_again)
        elif isinstance(self._current.error, NoEventLoopError):
            invalidate(element, Invalidation("the first event loop since it needed one", manual=False))

    def replace(self, produce: Callable[[Any], Any], begin: Begin) -> None:
        """Use another function from the next build on."""
        self._produce = produce
        self._begin = begin

    # -- values from the source ------------------------------------------------------------------

    def data(self, value: Any) -> None:
        """Take a value: the state becomes AsyncData."""
        self._release()
        self.become(AsyncData(value))

    def error(self, error: Exception) -> None:
        """Take an error: the state becomes AsyncError, or stays loading if a retry is scheduled.

        If the error only says that a source is still loading, the state stays loading.
        """
        self._release()
        if is_still_loading(error) and waits_for_source(self.element):
            return
        if schedule_retry(self.element, error):
            self._set(self._current.retried_after(error))
        else:
            self.become(AsyncError(error))
        if not is_of_others(error):
            scheduler = self.element.host.scheduler
            scheduler.depth += 1
            try:
                report_failure(self.element, error)
            finally:
                scheduler.leave()

    def ended(self) -> None:
        """Reject a pending future, because the source delivers nothing more."""
        self._release()
        if not self.promise.done:
            self.element.host.scheduler.reloading.pop(self.element, None)
            self.promise.reject(StreamEndedError(self.element.provider))

    # -- state -----------------------------------------------------------------------------------

    def become(self, state: AsyncValue[Any], *, is_refresh: bool | None = None) -> None:
        """Move to a state, keep previous data, and settle the promise accordingly."""
        check_settable(self.element)
        next_state = self._current.followed_by(state, is_refresh=self._is_refresh if is_refresh is None else is_refresh)
        if self.promise.done:
            self.promise = Promise()
        if state.is_loading:
            if next_state.has_value:
                self.element.host.scheduler.reloading[self.element] = None
            self._set(next_state)
            return
        pending = self.promise
        if isinstance(state, AsyncData):
            stop_retrying(self.element)
        # The state comes first: a task that awaits the promise reads the new state when it wakes.
        self._set(next_state)
        if not pending.done:
            self._settle(pending, state if self.pending_changes is None else self.pending_changes.over(state))

    def show(self, state: AsyncValue[Any]) -> None:
        """Show the same state with other pending changes."""
        check_settable(self.element)
        settled = isinstance(state, AsyncData) and not state.is_loading
        if settled:
            self.promise = Promise()
        set_value(self.element, state, seen=self.promise)
        if settled and not self.promise.done:
            self._settle(self.promise, state)

    def _settle(self, pending: Promise[Any], state: AsyncValue[Any]) -> None:
        """Settle the promise, unless the state was made from previous data of something that is loading again.

        A future is as fresh as a read: it waits until the sources have settled and this element has followed them.
        """
        reloading = self.element.host.scheduler.reloading
        reloading.pop(self.element, None)
        if reloading and (sources := self._reloading_sources()):
            reloading[self.element] = None
            self._wait_for(sources)
        elif isinstance(state, AsyncData):
            pending.resolve(state.value)
        elif isinstance(state, AsyncError):
            pending.reject(state.error)

    def _reloading_sources(self) -> list[AsyncFlow]:
        """Return the flows of the direct and indirect sources that show previous data while they load."""
        reloading = self.element.host.scheduler.reloading
        found: dict[Element, None] = {}
        todo = list(self.element.sources)
        while todo:
            source = todo.pop()
            if source not in found:
                found[source] = None
                todo.extend(source.sources)
        return [node.flow for node in found if node in reloading and isinstance(node.flow, AsyncFlow)]

    def _wait_for(self, sources: list[AsyncFlow]) -> None:
        if not self._waits_for_sources:
            self._waits_for_sources = True
            sources[0].promise.on_settled(self._sources_settled)

    def _sources_settled(self) -> None:
        scheduler = self.element.host.scheduler
        scheduler.depth += 1
        try:
            scheduler.callbacks.append((_follow_sources, (self.element,)))
        finally:
            scheduler.leave()

    def follow_sources(self) -> None:
        """Settle the promise that has waited for sources, if this element is up to date with them."""
        self._waits_for_sources = False
        element = self.element
        if element.ref is None or self.promise.done:
            return
        if element.state > 0:
            try:
                refresh(element)
            except BaseException as error:
                self.give_up(error)
                raise
        state, promise = element.value, self.promise
        if element.state == CLEAN and not (self.building or promise.done or state.is_loading):
            self._settle(promise, state)

    @property
    def _current(self) -> AsyncValue[Any]:
        if self.element.host.scheduler.building is self.element or self.element.value is NO_VALUE:
            return self.loading
        return self._state  # type: ignore[no-any-return]  # an element with a flow holds AsyncValues

    @property
    def _state(self) -> Any:
        """The state without pending changes, or ``NO_VALUE``."""
        return self.element.value if self.pending_changes is None else self.pending_changes.base

    def _shown(self, state: AsyncValue[Any]) -> AsyncValue[Any]:
        """Return a new state with the pending changes."""
        return state if self.pending_changes is None else self.pending_changes.take(state)

    def _set(self, state: AsyncValue[Any]) -> None:
        if self.element.host.scheduler.building is self.element:
            self._immediate = state
        else:
            # Nodes of ``.future`` take the promise and nothing else: while it stays, no state is news to them.
            set_value(self.element, self._shown(state), seen=self.promise)

    # -- life ------------------------------------------------------------------------------------

    def pause(self) -> list[tuple[Element, bool]]:
        """Stop pulling from the source.

        Returns:
            The held sources that the caller must release, because no active user needs the build.
        """
        if self._source is not None:
            self._source.pause()
        if not self.held or self.building:
            return []
        held, self.held = self.held, []
        return held

    def resume(self) -> None:
        """Pull from the source again."""
        if self._source is not None:
            self._source.resume()

    def stop(self, teardown: Teardown | None = None) -> None:
        """Stop the current build; the promise waits for the next build."""
        pause_retrying(self.element)
        source, self._source = self._source, None
        if source is not None:
            try:
                source.stop(teardown)
            except BaseException as error:
                self.element.host.report(error, self.element.provider)
        self._release_if_paused()

    def give_up(self, error: BaseException) -> None:
        """Reject the future with the error that interrupted the refresh; the next build creates a new future."""
        if not self.promise.done:
            self.promise.reject(cast("Exception", error))

    def dispose(self) -> None:
        """End permanently: a pending future is rejected."""
        self.stop()
        self._release()
        scheduler = self.element.host.scheduler
        scheduler.reloading.pop(self.element, None)
        scheduler.loops.in_next_loop.pop(self, None)
        if not self.promise.done:
            self.promise.reject(ProviderDisposedError(self.element.provider, awaited=True))

    def interrupted(self) -> None:
        """Invalidate the element because its loop is about to end; the next use, in another loop, builds it.

        Nothing is scheduled in a loop that is closing. Readers of the future wait for the next build.
        """
        scheduler = self.element.host.scheduler
        scheduler.depth += 1
        try:
            invalidate(self.element, Invalidation("the end of the event loop that built it", manual=False))
            self._release_if_paused()  # if it was outdated already, that has not ended the build
        finally:
            scheduler.depth -= 1

    # -- sources of the last build ---------------------------------------------------------------

    @property
    def building(self) -> bool:
        """Whether the provider's function has begun and may still watch."""
        return self._source is not None and self._source.building

    @property
    def done(self) -> bool:
        """Whether the current build runs nothing that a teardown would have to end."""
        return self._source is None or self._source.done

    def hold(self, source: Element) -> None:
        """Keep a source of the last build in use until this build has delivered or failed (Riverpod).

        An ``async def`` watches nothing before its first step. Without this, each rebuild would pause or dispose the
        sources that only the last build had used, and build them again a moment later.
        """
        active = self.element.active > 0
        source.interest += 1
        if active:
            activate(source)
        self.held.append((source, active))

    def _release(self) -> None:
        if self.held:
            scheduler = self.element.host.scheduler
            scheduler.depth += 1
            try:
                while self.held:
                    source, active = self.held.pop()
                    source.interest -= 1
                    if active:
                        deactivate(source)
                    request_disposal(source)
            finally:
                scheduler.leave()

    def _release_if_paused(self) -> None:
        """Release the held sources if the element has no active user and its function does not run."""
        if self.held and not self.element.active and not self.building:
            self._release()

    # -- lending ---------------------------------------------------------------------------------

    def lend(self) -> Promise[Any] | Loan[Any]:
        """Return the promise for a reader outside the graph; the provider is in use until it is settled."""
        element = self.element
        if self.promise.done:
            if not element.host.scheduler.reloading or not (sources := self._reloading_sources()):
                return self.promise
            self.promise = Promise()
            element.host.scheduler.reloading[element] = None
            self._wait_for(sources)
        if self._readers is None:
            self._readers = FutureReaders(element)
        return self._readers.lend(self.promise)


def _follow_sources(element: Element) -> None:
    if isinstance(element.flow, AsyncFlow):
        try:
            element.flow.follow_sources()
        except Exception as error:
            element.host.report(error, element.provider)


def attach_flow(element: Element, produce: Callable[[Any], Any], begin: Begin) -> None:
    """Give an element an asynchronous function; a flow that it already has is kept, with its promise."""
    if isinstance(element.flow, AsyncFlow):
        element.flow.replace(produce, begin)
    else:
        AsyncFlow(element, produce, begin)


def attach_value(element: Element, value: AsyncValue[Any]) -> None:
    """Prepare an element that is overridden with a state."""
    attach_flow(element, lambda _: value, _begin_with)


def _begin_with(sink: Sink, value: Any) -> None:
    sink.become(value)

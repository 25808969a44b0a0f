"""Bringing nodes up to date: build, compare, mark what depends on it, tell the listeners.

Invariants: a node that is CLEAN has seen the current values of all its sources. ``update`` walks the
possibly outdated sources with a stack of its own, so the length of a chain is not bounded by Python's
recursion limit (only a *first* build recurses, because the provider's function itself reads its sources).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from threading import get_ident
from types import CoroutineType
from typing import Any, Final, cast

import attrs

from .edges import (
    add_source,
    drop_sources,
    forget_last,
    is_used,
    let_go,
    listens_to_users,
    mark,
    mark_maybe,
    named,
    path_to,
    relink,
    unlink,
)
from .element import NO_VALUE, Change, Element, Host
from .errors import (
    AsyncValueIsLoadingError,
    ChangeDuringBuildError,
    CircularDependencyError,
    MissingDependencyError,
    ProviderDisposedError,
    ProviderError,
    ProviderReturnTypeError,
    ReactiveError,
    UnmountedRefError,
    WrongThreadError,
)
from .lifecycle import Event, Hooks, SelfListener
from .observer import ProviderObserverContext, current_mutation
from .retry import Retrying
from .states import BUILDING, CHECK, CLEAN, DIRTY, DISPOSED, FAILED


@attrs.frozen
class Invalidation:
    """Why a provider was rebuilt though nothing it depends on had changed.

    Attributes:
        by: who asked for it, in words.
        as_reload: whether the provider is to treat it as a changed dependency.
        manual: whether somebody asked for it, so that ``on_manual_invalidation`` is called.
    """

    by: str
    as_reload: bool = False
    manual: bool = True


ASYNC_IN_SYNC: Final = (
    "It is declared with `async def`, but this kind of provider is synchronous: declare it with FutureProvider "
    "(or AsyncNotifierProvider), or drop the `async` and watch what is asynchronous with ref.watch."
)


def read(element: Element) -> Any:
    """Return the element's current value, bringing it up to date first; raise ProviderError if it failed."""
    if element.state:
        if element.state == DIRTY:
            build(element)
        elif element.state > 0:
            update(element)
        if element.failure is not None:
            raise ProviderError(element.provider) from element.failure
    return element.value


def depend_on(element: Element, source: Element) -> Any:
    """Read a source inside a build and remember the edge (Ref.watch is this, inlined)."""
    build = element.ref
    if source.mark is not build:
        source.mark = build
        fresh = element.fresh
        if fresh is not None:
            fresh.append(source)
        else:
            idx = element.idx
            sources = element.sources
            if idx < len(sources) and sources[idx] is source:
                element.idx = idx + 1
            else:
                element.fresh = [source]
    if source.state:
        return read(source)
    return source.value


def depend_late(element: Element, source: Element) -> None:
    """Link a source that is watched after the synchronous part of a build has ended (after an ``await``).

    Raises:
        CircularDependencyError: that source needs this element.
        MissingDependencyError: that source is scoped and this element does not list it.
    """
    element.host.check()
    check_scope(element.provider, source.provider)
    if source in element.sources:
        return
    if source.state > 0:
        # Before the edge exists: this build has not seen an older value, so the first one is no change to it.
        element.host.update(source)
    refuse_loop(element, source)
    add_source(element, source)


def refuse_loop(element: Element, source: Element) -> None:
    """Raise CircularDependencyError if ``source`` already depends on the element that is to depend on it."""
    loop = path_to(source, element) if element.observers else None
    if loop is not None:
        raise CircularDependencyError(named([element, *loop]))


def update(element: Element) -> None:
    """Bring one element up to date, its possibly outdated sources first.

    Raises:
        CircularDependencyError: it is needed for its own build.
        ProviderDisposedError: it, or something it depends on, was disposed.
    """
    state = element.state
    if state == DIRTY:
        build(element)
        return
    if state != CHECK:
        raise _stuck(element, element, [])
    element.idx = 0
    nodes = [element]
    while nodes:
        node = nodes[-1]
        state = node.state
        if state == CHECK:
            # Outside a build, idx is the position up to which the sources are known to be up to date.
            sources = node.sources
            position = node.idx
            while position < len(sources):
                source = sources[position]
                position += 1
                state = source.state
                if state > 0:
                    if state == CHECK:
                        node.idx = position
                        source.idx = 0
                        nodes.append(source)
                        break
                    if state != DIRTY:
                        raise _stuck(element, source, nodes)
                    build(source)
                    if node.state == DIRTY:
                        break
            else:
                if node.state == CHECK:
                    node.state = CLEAN if node.failure is None else FAILED
            if nodes[-1] is not node:
                continue
        nodes.pop()
        if node.state == DIRTY:
            build(node)


def _stuck(asked: Element, node: Element, waiting: list[Element]) -> ReactiveError:
    if node.state != BUILDING:
        return ProviderDisposedError(node.provider)
    error = CircularDependencyError(_cycle(node, waiting))
    reader = asked.host.scheduler.building
    if reader is not None:
        # The edge that would close the loop is not kept: the graph stays free of loops, and can recover.
        forget_last(reader, asked)
    return error


def build(node: Element) -> None:
    """Run the node's function and take over what it gives."""
    host = node.host
    scheduler = host.scheduler
    replaced = node.ref
    if replaced is not None and replaced.hooks is not None:
        end_build(node)
    outer = scheduler.building
    scheduler.building = node
    previous = node.value  # a notifier may set its state while it builds, which is nobody's change
    node.ref = ref = node.provider.build_type(node)
    node.idx = 0
    node.state = BUILDING
    try:
        value = node.create(ref)
        if node.fresh is not None:
            for source in node.fresh:
                if source.provider.settings.dependencies is not None:
                    check_scope(node.provider, source.provider)
        if replaced is None and type(value) is CoroutineType:
            _refuse_coroutine(node, cast("Any", value))
    except BaseException as error:
        scheduler.building = outer
        relink(node)
        if not isinstance(error, Exception):
            node.state = DIRTY
            raise
        fail(node, error, first=replaced is None)
        return
    scheduler.building = outer
    if node.fresh is not None or node.idx < len(node.sources):
        relink(node)
    node.state = CLEAN
    if scheduler.retries and node.flow is None:
        stop_retrying(node)
    node.value = value
    changed = False
    if value is not previous:
        try:
            # Anything but a plain False is a change: NumPy arrays, ORM expressions, an == that raises.
            changed = (value != previous if node.differs is None else _differs(node, previous)) is not False
        except Exception:
            changed = True
    if changed:
        node.failure = None
        observers = node.observers
        if observers:
            cause: Change = (node.provider, previous, cast("Any", value))
            for observer in observers:
                if observer.state != BUILDING:  # it is reading this value right now
                    observer.state = DIRTY
                    observer.cause = cause
        if node.listeners or host.observers or ref.hooks is not None:
            announce(node, previous, first=replaced is None)
        if replaced is None:
            # Now that it follows all that it has read, the table's order reversed is that of disposal.
            elements = host.elements
            if elements.pop(node.provider, None) is not None:
                elements[node.provider] = node
            if node.provider.settings.auto_dispose:
                let_go(node)
    elif host.observers or ref.hooks is not None:
        announce_unchanged(node, previous)


def _refuse_coroutine(node: Element, value: Any) -> None:
    value.close()
    raise ProviderReturnTypeError(node.provider, value, ASYNC_IN_SYNC)


def _differs(node: Element, previous: Any) -> bool:
    return previous is NO_VALUE or node.differs is None or node.differs(previous, node.value)


def set_value(node: Element, value: Any) -> None:
    """Take over a value from outside (a notifier's state, a finished task) and tell who listens, now."""
    host = node.host
    scheduler = host.scheduler
    if get_ident() != scheduler.thread:
        raise WrongThreadError(host)
    building = scheduler.building
    if node.ref is None:
        raise UnmountedRefError(node.provider)
    if building is not None:
        if building is node:
            node.value = value
            return
        raise ChangeDuringBuildError(node.provider, building.provider)
    previous = node.value
    node.value = value
    try:
        if (value != previous if node.differs is None else _differs(node, previous)) is False:
            if value is not previous and node.ref.hooks is not None:
                announce_unchanged(node, previous)
            return
    except Exception:  # noqa: S110  an == that raises counts as a change
        pass
    if node.failure is not None:
        node.failure = None
        if node.state == FAILED:
            node.state = CLEAN
    if node.observers:
        mark(node, previous)
    if node.listeners or host.observers or (node.ref is not None and node.ref.hooks is not None):
        scheduler.depth += 1
        try:
            announce(node, previous)
        finally:
            scheduler.leave()
    elif scheduler.queue and not scheduler.depth:
        scheduler.request()


def fail(node: Element, error: Exception, *, first: bool) -> None:
    """Put a node in error: what depends on it will see it, and it is reported once."""
    previous = node.value
    node.state = FAILED
    node.failure = error
    node.value = NO_VALUE
    if node.observers:
        cause: Change = (node.provider, previous, error)
        for observer in node.observers:
            if observer.state != BUILDING:
                observer.state = DIRTY
                observer.cause = cause
    announce(node, previous, first=first)
    if not is_still_loading(error):
        if not isinstance(error, ProviderError):
            report_failure(node, error)
        schedule_retry(node, error)
    if node.provider.settings.auto_dispose:
        let_go(node)


def is_still_loading(error: BaseException) -> bool:
    """Whether an error only says that an asynchronous value is not there yet, through any number of providers."""
    cause: BaseException | None = error
    while isinstance(cause, ProviderError):
        cause = cause.__cause__
    return isinstance(cause, AsyncValueIsLoadingError)


def report_failure(node: Element, error: Exception) -> None:
    """Let observers and ``on_error`` see an original error, once, after they saw the state it led to."""
    _say(node, partial(_report_failure, node, error))


def _report_failure(node: Element, error: Exception) -> None:
    host = node.host
    for observer in host.observers:
        tell(node, observer.provider_did_fail, error)
    host.report(error, node.provider)


def invalidate(node: Element, reason: Invalidation) -> None:
    """End the current build now and have the node built again: on the next turn if it has listeners, else on read."""
    scheduler = node.host.scheduler
    if node.state in (DIRTY, DISPOSED) or node.ref is None:
        if reason.as_reload and node.state == DIRTY:
            node.cause = reason
        return
    if scheduler.building is not None:
        raise ChangeDuringBuildError(node.provider, scheduler.building.provider)
    node.state = DIRTY
    node.cause = reason
    scheduler.depth += 1
    try:
        if node.ref.hooks is not None:
            if reason.manual:
                node.ref.hooks.fire(Event.INVALIDATE, partial(node.host.report, provider=node.provider))
            end_build(node)
        if node.flow is not None:
            node.flow.stop()
        if node.listeners:
            scheduler.queue.append(node)
        mark_maybe(node)
        let_go(node)
    finally:
        scheduler.leave()


def end_build(node: Element) -> None:
    """Run what the current build asked to have undone; its Ref cannot be used meanwhile."""
    host = node.host
    ref, node.ref = node.ref, None
    hooks, ref.hooks = ref.hooks, None
    pending = hooks.end(partial(host.report, provider=node.provider))
    if node.ref is None:
        node.ref = ref
    for work in pending:
        host.in_background(work, node.provider)
    for observer in host.observers:
        tell(node, observer.did_dispose_provider)


def dispose(node: Element) -> None:
    """Take a node out of the graph; whoever still holds it finds it disposed."""
    if node.state != DISPOSED:
        _end(node)
        drop_sources(node)
        node.host.forget(node)
        _unmounted(node)


def dispose_all(nodes: Iterable[Element], host: Host) -> None:
    """Dispose the nodes of a container that goes as a whole, those that use others first."""
    for node in nodes:
        if node.state == DISPOSED:
            continue
        for listener in node.listeners:
            listener.close()
        for observer in node.observers or ():
            if observer.provider.ephemeral and observer.listeners:
                _close_views(node)
                break
        _end(node)
        for source in node.sources:
            # Edges inside the container vanish with it, unless somebody has asked to be told of them. A view has
            # an edge of its own, which may lead to a parent.
            if source.host is not host or source.provider.ephemeral or listens_to_users(source):
                unlink(source, node)
        if host.observers:
            _unmounted(node)
        # No cycles are left: a request's elements are freed at once, without the garbage collector.
        node.sources = ()
        node.observers = None


def _close_views(node: Element) -> None:
    observers: tuple[Element, ...] = tuple(node.observers) if node.observers else ()
    for observer in observers:
        if observer.provider.ephemeral:
            for listener in observer.listeners:
                listener.close()
            _close_views(observer)


def _end(node: Element) -> None:
    if node.ref is not None and node.ref.hooks is not None:
        end_build(node)
    node.state = DISPOSED
    node.ref = node.mark = None
    node.value = NO_VALUE
    stop_retrying(node)
    if node.flow is not None:
        node.flow.dispose()


def _unmounted(node: Element) -> None:
    for observer in node.host.observers:
        tell(node, observer.did_unmount_provider)


def dispose_if_unused(node: Element) -> None:
    """Dispose an auto-dispose node, unless it came into use again since it was let go."""
    if node.state == DISPOSED or is_used(node):
        return
    if node.listeners:
        # Weak listeners wait for the next build of this node, so it is emptied and stays (Riverpod).
        _end(node)
        node.state = DIRTY
        node.cause = node.failure = None
        drop_sources(node)
    else:
        dispose(node)


def refresh_if_used(node: Element) -> None:
    """Bring a queued node up to date, unless nobody who is not paused listens any more."""
    state = node.state
    if state > 0 and node.active:
        if state == DIRTY:
            build(node)
        elif state != DISPOSED:
            update(node)


# -- telling -------------------------------------------------------------------------------------


def announce(node: Element, previous: Any, *, first: bool = False) -> None:
    """Tell listeners and observers of a change: now if no build runs, else when the outermost has ended.

    Args:
        node: what changed.
        previous: the value before.
        first: whether this is the first build.
    """
    _keep_hooks(node)
    _say(node, partial(_tell, node, previous, node.value, node.failure, first))


def announce_unchanged(node: Element, previous: Any) -> None:
    """Tell only those who listen to their own state: they hear of each build and each new state (Riverpod)."""
    _keep_hooks(node)
    if node.ref.hooks is not None and node.ref.hooks.self_listeners:
        _say(node, partial(_tell_itself, node, None if previous is NO_VALUE else previous, node.value, None))


def _keep_hooks(node: Element) -> None:
    """Have observers told when this build ends: only what has hooks is asked to end."""
    if node.host.observers and node.ref is not None and node.ref.hooks is None:
        node.ref.hooks = Hooks()


def _say(node: Element, message: partial[None]) -> None:
    scheduler = node.host.scheduler
    scheduler.announcements.append(message)
    if scheduler.building is None and scheduler.depth <= 1:
        scheduler.announce()


def _tell_itself(node: Element, previous: Any, value: Any, failure: Exception | None) -> None:
    if node.ref is not None and node.ref.hooks is not None:
        listeners: list[SelfListener] = node.ref.hooks.self_listeners or []
        for on_change, on_error in tuple(listeners):
            if failure is None:
                _guarded(node, on_change, previous, value)
            elif on_error is not None:
                _guarded(node, on_error, failure)


def _tell(node: Element, previous: Any, value: Any, failure: Exception | None, first: bool) -> None:
    if previous is NO_VALUE:
        previous = None
    if value is NO_VALUE:
        value = None
    _tell_itself(node, previous, value, failure)
    for listener in node.listeners:
        # Who made the provider be built has its value already; weak listeners did not.
        if not first or listener.weak:
            listener.notify(previous, value, failure)
    for observer in node.host.observers:
        if first:
            tell(node, observer.did_add_provider, value)
        else:
            tell(node, observer.did_update_provider, previous, value)


def tell(node: Element, method: Any, *arguments: Any) -> None:
    """Call an observer's method; an error in it stops nobody."""
    if node.provider.synthetic:
        return
    context = ProviderObserverContext(node.host, node.provider, current_mutation.get(), node.notifier)
    _guarded(node, method, context, *arguments)


def _guarded(node: Element, callback: Any, *arguments: Any) -> None:
    try:
        callback(*arguments)
    except Exception as error:
        node.host.report(error, node.provider)


# -- retry ---------------------------------------------------------------------------------------


def schedule_retry(node: Element, error: Exception) -> bool:
    """Ask the retry policy whether to build again; return whether that will happen by itself."""
    provider = node.provider
    if provider.ephemeral:
        return False
    policy = provider.retry or node.host.retry
    if policy is None:
        return False
    table = node.host.scheduler.retries
    retries = table.get(node)
    if retries is None or node.ref.is_reload:
        # A changed dependency is a new situation: counting begins again (Riverpod).
        retries = table[node] = _fresh(retries)
    try:
        return retries.schedule(policy, error, lambda: invalidate(node, Invalidation("retry", manual=False)))
    except Exception as broken:
        node.host.report(broken, provider)
        return False


def pause_retrying(node: Element) -> None:
    """Forget the next try, but not how many there were."""
    retries = node.host.scheduler.retries.get(node)
    if retries is not None:
        retries.cancel()


def stop_retrying(node: Element) -> None:
    """Forget the next try and the count: the node has succeeded, or is gone."""
    retries = node.host.scheduler.retries.pop(node, None)
    if retries is not None:
        retries.cancel()


def _fresh(retries: Retrying | None) -> Retrying:
    if retries is not None:
        retries.cancel()
    return Retrying()


def check_scope(provider: Any, dependency: Any) -> None:
    """Raise MissingDependencyError if a scoped provider is used by one that does not list it."""
    if dependency.settings.dependencies is None or provider.ephemeral:
        return
    listed = provider.settings.dependencies
    family = dependency.of_family
    if family is not None and family is provider.of_family:
        return  # a family may use itself
    if listed is None or not (dependency in listed or family in listed):
        raise MissingDependencyError(provider, dependency)


def _cycle(node: Element, waiting: list[Element]) -> list[Any]:
    """Name the loop: from a node under construction along what each one read last, back to itself."""
    path = [node]
    current = node
    for _ in range(10_000):
        last = current.fresh[-1] if current.fresh else current.sources[current.idx - 1] if current.idx else None
        if last is None or last is node:
            break
        if last.state != BUILDING:
            path.extend(other for other in waiting if other.state == CHECK)
            break
        path.append(last)
        current = last
    return named([*path, node])

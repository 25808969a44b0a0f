"""Bringing nodes up to date: build, compare, mark what depends on it, tell the listeners.

Invariants: a node that is CLEAN has seen the current values of all its sources. ``update`` walks the
possibly outdated sources with a stack of its own, so the length of a chain is not bounded by Python's
recursion limit (only a *first* build recurses, because the provider's function itself reads its sources).
"""

from __future__ import annotations

from collections.abc import Callable
from threading import get_ident
from types import CoroutineType
from typing import Any, Final, cast

from ..container.scope_check import check_scope
from ..errors import (
    ChangeDuringBuildError,
    CircularDependencyError,
    MissingDependencyError,
    ProviderDisposedError,
    ProviderError,
    ProviderReturnTypeError,
    ReactiveError,
    ReadDuringDisposalError,
    UnmountedRefError,
    WrongThreadError,
)
from ..lifecycle.event_loop import running_loop
from ..values.comparison import is_false, is_same
from ..values.failures import is_of_others, is_still_loading
from ..values.history import PLAIN, change_of
from .announcements import announce, announce_unchanged, report_failure
from .edges import (
    UNSEEN,
    add_source,
    dispose_when_unused,
    forget_last,
    mark,
    named,
    path_to,
    relink,
)
from .element import NO_VALUE, Change, Element
from .invalidation import end_build, leave_failed
from .node_states import BUILDING, CHECK, CLEAN, DIRTY, ENDING, FAILED
from .retry_timer import schedule_retry, stop_retrying
from .scheduler import MOST_NESTED, TooDeepError

NOT_KEPT: Final = (RecursionError, ReadDuringDisposalError)
"""Errors that say nothing of a provider: the next read builds it."""

ASYNC_IN_SYNC: Final = (
    "It is declared with `async def`, but this kind of provider is synchronous: declare it with FutureProvider "
    "(or AsyncNotifierProvider), or drop the `async` and watch what is asynchronous with ref.watch."
)


def read(element: Element) -> Any:
    """Return the element's current value, bringing it up to date first; raise ProviderError if it failed.

    Without an event loop an operation ends by disposing what is not used, and a caller outside the graph must have
    the value before that: where no operation is under way this is one.
    """
    if element.state > 0:
        scheduler = element.host.scheduler
        if scheduler.depth:
            refresh(element)
        else:
            scheduler.depth = 1
            try:
                refresh(element)
                return _content(element)
            finally:
                scheduler.leave()
    return element.value if element.failure is None else _content(element)


def read_state(element: Element) -> Any:
    """Return what ``read`` returns, to a user of a notifier.

    Raises:
        WrongThreadError: called from another thread.
    """
    scheduler = element.host.scheduler
    if get_ident() != scheduler.thread:
        raise WrongThreadError(element.host)
    if running_loop() is not scheduler.home or scheduler.inbox:
        scheduler.serve()
    return read(element)


def _content(element: Element) -> Any:
    if element.failure is not None:
        raise ProviderError(element.provider, element.failure)
    return element.value


def refresh(element: Element) -> None:
    """Bring an element up to date; a chain of first builds that is too deep for Python is built in segments.

    Raises:
        CircularDependencyError: it is needed for its own build.
        ProviderDisposedError: it, or something it depends on, was disposed.
        WrongThreadError: called from another thread.
    """
    if get_ident() != element.host.scheduler.thread:
        raise WrongThreadError(element.host)
    _refresh(element)


def _refresh(element: Element) -> None:
    try:
        if element.state == DIRTY:
            build(element)
        else:
            update(element)
    except TooDeepError as deep:
        build_in_segments(element, deep)


def build_in_segments(element: Element, deep: TooDeepError) -> None:
    """Build the deepest nodes first, each from a shallow stack, then those that were interrupted for them.

    The deepest one is the build that needed the node that was not built. It may ask for another node each time, such
    as a view that it makes on the spot: built from a shallow stack it has room for that one too.
    """
    scheduler = element.host.scheduler
    if scheduler.building is not scheduler.base:
        raise deep  # the stack is shallow only where no build is under way
    waiting = {element: None}
    path: dict[Element, None] = {}
    while True:
        scheduler.too_deep = None
        scheduler.nested = 0
        deepest = next(node for node in deep.path if not node.provider.ephemeral)
        if deepest in path:
            nodes = list(path)
            loop = dict.fromkeys([*nodes[nodes.index(deepest) :], *reversed(deep.path)])
            raise CircularDependencyError(named([*(node for node in loop if node.state > 0), deepest]))
        for node in reversed(deep.path):
            path.pop(node, None)  # it comes last now: the order is that of the chain under construction
            path[node] = None
        waiting[deepest] = None
        try:
            while waiting:
                node = next(reversed(waiting))
                if node.state > 0:
                    update(node)
                waiting.popitem()
                path = dict.fromkeys(waiting)  # those between may ask for others now
        except TooDeepError as deeper:
            deep = deeper
        else:
            return


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
    scheduler = element.host.scheduler
    scheduler.depth += 1
    try:
        if source.state > 0:
            # Before the edge exists: this build has not seen an older value, so the first one is no change to it.
            refresh(source)
        refuse_loop(element, source)
        add_source(element, source)
    finally:
        scheduler.leave()


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
    scheduler = element.host.scheduler
    changes = scheduler.changes
    waiting: list[Element] = []
    node = element
    node.idx = 0
    while True:
        while node.state == CHECK:
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
                        waiting.append(node)
                        node = source
                        node.idx = 0
                        break
                    if state != DIRTY:
                        raise _stuck(element, source, [*waiting, node])
                    build(source)
                    if node.state > CHECK:
                        break
            else:
                if changes != scheduler.changes:
                    # A disposer has changed something, which may be behind a source that was passed already.
                    changes = scheduler.changes
                    for other in (*waiting, node):
                        other.idx = 0
                elif node.state == CHECK:
                    node.state = CLEAN if node.failure is None else FAILED
        if node.state == DIRTY:
            build(node)
        if not waiting:
            return
        node = waiting.pop()


def _stuck(asked: Element, node: Element, waiting: list[Element]) -> ReactiveError:
    reader = asked.host.scheduler.building
    if node.state == BUILDING:
        error: ReactiveError = CircularDependencyError(_cycle(node, waiting))
    elif node.state == ENDING:
        error = ReadDuringDisposalError(asked.provider, node.provider)
    else:
        return ProviderDisposedError(node.provider)
    if reader is not None:
        # The edge that would close the loop is not kept: the graph stays free of loops, and can recover.
        forget_last(reader, asked)
    return error


new: Final[Callable[[type[Any]], Any]] = object.__new__


def build(node: Element) -> None:
    """Run the node's function and take over what it gives."""
    host = node.host
    scheduler = host.scheduler
    outer = scheduler.building
    if outer is not None and outer is not scheduler.base:
        if scheduler.nested >= MOST_NESTED:
            if scheduler.too_deep is None:
                scheduler.too_deep = TooDeepError([])
            raise scheduler.too_deep
        scheduler.nested += 1
    replaced = node.ref
    if replaced is None:
        node.fresh = []
    elif replaced.hooks is not None or node.flow is not None:
        end_build(node)
    scheduler.building = node
    previous: object = node.value  # a notifier may set its state while it builds, which is nobody's change
    # Build(node) without the call of its __init__: this is the only place that makes one, and every build does.
    ref = new(node.build_type)
    node.ref = ref
    ref.element = node
    ref.cause = node.cause
    ref.hooks = ref.reads = None
    node.idx = 0
    node.state = BUILDING
    try:
        value: Any = node.create(ref)
    except BaseException as error:
        scheduler.building = outer
        # No call of a Python function here: there may be no room for it on the stack.
        if isinstance(error, RecursionError) and outer is not scheduler.base and scheduler.too_deep is None:
            try:
                scheduler.too_deep = TooDeepError([])
                scheduler.nested = MOST_NESTED
            except RecursionError:
                pass  # the build around this one has more room
        elif scheduler.too_deep is not None and not isinstance(error, (Exception, TooDeepError)):
            scheduler.too_deep = None  # Ctrl-C, for example, ends the reading itself
        deep = scheduler.too_deep
        if deep is None:
            scheduler.nested = 0 if outer is scheduler.base else scheduler.nested - 1
        if deep is not None or not isinstance(error, Exception) or isinstance(error, NOT_KEPT):
            # Interrupted: nothing is known of the value.
            node.fresh = None
            node.state = DIRTY
            if node.provider.settings.auto_dispose:
                scheduler.disposals.append(node)
            if deep is None:
                raise
            deep.args[0].append(node)
            raise deep from None
        if ref.hooks is not None:
            leave_failed(node, ref.hooks, error)
        relink(node)
        fail(node, error, first=replaced is None)
        return
    scheduler.building = outer
    if scheduler.too_deep is not None:
        raise _unwind(node)
    if outer is not None and outer is not scheduler.base:
        scheduler.nested -= 1
    if node.fresh:
        broken = _scope_error(node)
        relink(node)
        if replaced is not None:
            host.edges_moved = True
        if broken is not None:
            fail(node, broken, first=replaced is None)
            return
    elif replaced is None:
        node.fresh = None
    elif node.idx < len(node.sources):
        relink(node)
    node.state = CLEAN
    if value is previous:
        if host.observers or ref.hooks is not None:
            announce_unchanged(node, previous)
        return
    if replaced is None and type(value) is CoroutineType:
        node.value = value
        _refuse_coroutine(node)
        return
    node.value = value
    try:
        # A plain True, the usual result, needs no further look.
        if (
            (unequal := value != previous) is not True and is_same(previous, value, unequal)
            if node.differs is None
            else not _differs(node, previous)
        ):
            if host.observers or ref.hooks is not None:
                announce_unchanged(node, previous)
            return
    except Exception:  # noqa: S110  an == that raises counts as a change
        pass
    if node.failure is not None:
        node.failure = None
        if node.flow is None:
            stop_retrying(node)
    observers = node.observers
    if observers:
        cause: Change | None = None
        for observer in observers:
            if observer.state < DIRTY:  # else it is being built, and reads this value, or it has a cause
                observer.state = DIRTY
                if cause is None:
                    kind = type(previous)
                    if kind is type(value) and kind in PLAIN:
                        cause = (node.provider, previous, value)  # change_of(), inlined for the usual case
                    else:
                        cause = change_of(node, previous, value)
                observer.cause = cause
    if node.listeners or host.observers or ref.hooks is not None:
        announce(node, previous, first=replaced is None)
    if replaced is None:
        if ref.hooks is not None:
            # Built after what it has read: the table reversed is the order in which to undo things.
            elements = host.elements
            if elements.pop(node.provider, None) is not None:
                elements[node.provider] = node
        if node.provider.settings.auto_dispose:
            dispose_when_unused(node)


def _unwind(node: Element) -> BaseException:
    """Give up a build for a node that is nested too deeply, and return what unwinds the builds around it.

    ``scheduler.nested`` keeps its highest value, so no build begins before all of them are unwound.
    """
    scheduler = node.host.scheduler
    node.fresh = None
    node.state = DIRTY
    if node.provider.settings.auto_dispose:
        scheduler.disposals.append(node)
    deep = cast("TooDeepError", scheduler.too_deep)
    deep.path.append(node)
    return deep


def _refuse_coroutine(node: Element) -> None:
    returned, node.value = node.value, NO_VALUE
    returned.close()  # it will never be awaited, and Python would warn of that instead of our error
    fail(node, ProviderReturnTypeError(node.provider, returned, ASYNC_IN_SYNC), first=True)


def _scope_error(node: Element) -> Exception | None:
    """Return what is wrong with what a build has read for the first time, if it uses scopes it does not list."""
    listed = node.provider.settings.dependencies
    for source in node.fresh or ():
        used = source.provider
        if used.settings.dependencies is not None and (listed is None or used not in listed):
            try:
                check_scope(node.provider, used)
            except MissingDependencyError as error:
                return error
    return None


def _differs(node: Element, previous: Any) -> bool:
    if previous is NO_VALUE or node.differs is None:
        return True
    result = node.differs(previous, node.value)
    return result is True or not is_false(result)


def set_value(node: Element, value: Any, *, seen: Any = UNSEEN) -> None:
    """Take over a value from outside (a notifier's state, a finished task) and tell who listens, now.

    What holds ``seen`` does not depend on more than that, and is left alone (see ``mark``).
    """
    host = node.host
    scheduler = host.scheduler
    if get_ident() != scheduler.thread:
        raise WrongThreadError(host)
    loop = running_loop()
    if loop is None:
        if scheduler.inbox and not scheduler.depth:
            # The calls of other threads come after the change: before it, they would change what it was made from.
            scheduler.depth = 1
            try:
                set_value(node, value, seen=seen)
            finally:
                scheduler.leave()
            return
    elif loop is not scheduler.home:
        scheduler.serve()
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
        # A plain True, the usual result, needs no further look.
        if (
            (unequal := value != previous) is not True and is_same(previous, value, unequal)
            if node.differs is None
            else not _differs(node, previous)
        ):
            if value is not previous and node.ref.hooks is not None:
                announce_unchanged(node, previous)
                if not scheduler.depth:
                    scheduler.depth = 1
                    scheduler.leave()
            return
    except Exception:  # noqa: S110  an == that raises counts as a change
        pass
    if node.failure is not None:
        node.failure = None
        if node.state == FAILED:
            node.state = CLEAN
        if node.flow is None:
            stop_retrying(node)  # the next try would replace what was set
    if scheduler.interrupted:
        scheduler.queue_interrupted()
    if node.observers:
        mark(node, previous, seen)
    if node.listeners or host.observers or node.ref.hooks is not None:
        announce(node, previous)
        if not scheduler.depth:
            scheduler.depth = 1
            scheduler.leave()
    elif scheduler.queue and not scheduler.depth:
        if loop is None:
            scheduler.settle()
        else:
            scheduler.request()


def fail(node: Element, error: Exception, *, first: bool) -> None:
    """Put a node in error: what depends on it will see it, and it is reported once."""
    previous = node.value
    node.state = FAILED
    node.failure = error
    node.value = NO_VALUE
    if node.observers:
        cause = change_of(node, previous, error)
        for observer in node.observers:
            if observer.state != BUILDING:
                observer.state = DIRTY
                observer.cause = cause
    announce(node, previous, first=first)
    if not (is_still_loading(error) and waits_for_source(node)):
        if not is_of_others(error):
            report_failure(node, error)
        schedule_retry(node, error)
    if node.provider.settings.auto_dispose:
        dispose_when_unused(node)


def waits_for_source(node: Element) -> bool:
    """Whether something that a node has read is loading or about to change, so that the node is built again then."""
    building = node.state == BUILDING
    todo = [*node.sources[: node.idx], *(node.fresh or ())] if building else list(node.sources)
    while todo:
        source = todo.pop()
        if source.state > 0 or (source.failure is not None and is_still_loading(source.failure)):
            return True
        if source.flow is not None:
            if source.value.is_loading:
                return True
        elif source.provider.ephemeral:
            todo.extend(source.sources)
    return node.state in (CHECK, DIRTY)


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

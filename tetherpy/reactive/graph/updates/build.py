"""Run the function of a node, and take over its value or its error."""

from __future__ import annotations

from collections.abc import Callable
from types import CoroutineType
from typing import Any, Final, cast

from ...container.scope_check import check_scope
from ...errors import MissingDependencyError, ProviderReturnTypeError, ReadDuringDisposalError
from ...values.comparison import is_false, is_same
from ...values.value_records import PLAIN, change_of
from ..announcements import announce, announce_unchanged
from ..dependencies import relink
from ..element import NO_VALUE, Change, Element
from ..invalidation import end_build, leave_failed
from ..nested_builds import MOST_NESTED, TooDeepError
from ..node_states import BUILDING, CLEAN, DIRTY
from ..retries.node_retries import stop_retrying
from ..users import request_disposal
from .failure import fail

NOT_KEPT: Final = (RecursionError, ReadDuringDisposalError)
"""Errors that are not failures of a provider: the next read builds it again."""

ASYNC_IN_SYNC: Final = (
    "It is declared with `async def`, but this kind of provider is synchronous: declare it with FutureProvider "
    "(or AsyncNotifierProvider), or drop the `async` and watch what is asynchronous with ref.watch."
)

new: Final[Callable[[type[Any]], Any]] = object.__new__


def build(node: Element) -> None:
    """Run the node's function, and take over its value or its error."""
    host = node.host
    scheduler = host.scheduler
    outer = scheduler.building
    if outer is not None and outer is not scheduler.base:
        nested = scheduler.nested
        if nested >= MOST_NESTED:
            if scheduler.too_deep is None:
                scheduler.too_deep = TooDeepError([])
            raise scheduler.too_deep
        scheduler.nested = nested + 1
    replaced = node.ref
    if replaced is None:
        node.fresh = []
    elif replaced.hooks is not None or node.flow is not None:
        end_build(node)
    scheduler.building = node
    previous: object = node.value  # a notifier that sets its state while it builds makes no change
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
            # Interrupted: the value is unknown.
            node.fresh = None
            node.state = DIRTY
            if node.provider.settings.auto_dispose:
                scheduler.disposals.append(node)
            if deep is None:
                if ref.hooks is not None:
                    leave_failed(node, ref.hooks, error)
                raise
            if ref.hooks is not None:
                ref.hooks.unfinished = True
            deep.args[0].append(node)
            raise deep from None
        if ref.hooks is not None:
            leave_failed(node, ref.hooks, error)
        relink(node)
        fail(node, error, first=replaced is None)
        return
    scheduler.building = outer
    if scheduler.nested:  # this build runs inside another one, or a build inside it was nested too deeply
        if scheduler.too_deep is not None:
            raise _unwind(node)
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
            else not differs(node, previous)
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
        kind = type(previous)
        if kind is type(value) and (kind is int or kind in PLAIN):
            cause: Change = (node.provider, previous, value)  # change_of(), inlined for the usual case
        else:
            cause = change_of(node, previous, value)
        for observer in observers:
            if observer.state < DIRTY:  # else it is being built, and reads this value, or it has a cause
                observer.state = DIRTY
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
            request_disposal(node)


def _unwind(node: Element) -> BaseException:
    """Give up a build for a node that is nested too deeply; return the error that unwinds the builds around it.

    ``scheduler.nested`` keeps its highest value, so no build begins before all of them are unwound.
    """
    scheduler = node.host.scheduler
    node.fresh = None
    node.state = DIRTY
    if node.ref is not None and node.ref.hooks is not None:
        node.ref.hooks.unfinished = True
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
    """Return an error if the new sources of a build are scoped and its provider does not list them."""
    listed = node.provider.settings.dependencies
    for source in node.fresh or ():
        used = source.provider
        if used.settings.dependencies is not None and (listed is None or used not in listed):
            try:
                check_scope(node.provider, used)
            except MissingDependencyError as error:
                return error
    return None


def differs(node: Element, previous: Any) -> bool:
    """Return whether the comparison of a node's provider says that its value has changed."""
    if previous is NO_VALUE or node.differs is None:
        return True
    result = node.differs(previous, node.value)
    return result is True or not is_false(result)

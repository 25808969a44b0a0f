"""Keep the users of a node: observers, listeners, and whether any of them is active.

A node is *active* while an active observer observes it, a listener that is not paused listens, or someone awaits its
future. Becoming active or inactive spreads along the sources, without recursion. A node without users is disposed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from functools import partial
from typing import Any, Final, cast

from ..errors import NoEventLoopError
from ..lifecycle.callbacks import call
from ..lifecycle.hooks import Event, Hooks
from .element import NO_VALUE, Element
from .node_states import BUILDING, DIRTY, DISPOSED

MANY: Final = 8
"""From this number on listeners are kept in a dict, which one of them leaves without a copy of the others."""


def listens_to_users(element: Element) -> bool:
    """Whether an element's build has registered callbacks for its users coming and going."""
    build = element.ref
    return build is not None and build.hooks is not None and build.hooks.events is not None


def tell_user(element: Element, event: Event) -> None:
    """Have the callbacks called that an element's build has registered for an event among its users.

    They may change the graph, which is being walked now: they run after the walk.
    """
    build = element.ref
    if build is not None:
        hooks: Hooks | None = build.hooks
        if hooks is not None and hooks.events is not None and event in hooks.events:
            element.host.scheduler.callbacks.append((_call, (element, tuple(hooks.events[event].values()))))


def _call(element: Element, callbacks: tuple[Callable[[], object], ...]) -> None:
    for callback in callbacks:
        try:
            call(callback)
        except BaseException as error:
            element.host.report(error, element.provider)


def link(source: Element, observer: Element) -> bool:
    """Let ``observer`` be marked when ``source`` changes; return False if it is already."""
    observers = source.observers
    if observers is None:
        source.observers = (observer,)
    elif observer in observers:
        return False
    elif type(observers) is tuple:
        source.observers = {observers[0]: None, observer: None}
    else:
        observers[observer] = None
    if source.ref is not None and source.ref.hooks is not None:
        tell_user(source, Event.ADD_LISTENER)
    if observer.active:
        activate(source)
    return True


def unlink(source: Element, observer: Element) -> None:
    """Undo ``link``; a source that is no longer used is disposed."""
    observers = source.observers
    if observers is None or observer not in observers:
        return
    mark: Any = source.mark
    if mark is not None and mark.element is observer:
        source.mark = None  # it would keep a disposed observer in memory
    if len(observers) == 1:
        source.observers = None
    else:
        del observers[observer]
    if observer.active:
        deactivate(source)
    if source.ref is not None and source.ref.hooks is not None:
        tell_user(source, Event.REMOVE_LISTENER)
    request_disposal(source)


def add_listener(element: Element, listener: Any) -> None:
    """Add a user outside the graph."""
    listeners: Any = element.listeners
    if len(listeners) < MANY:
        element.listeners = (*listeners, listener)
    else:
        if len(listeners) == MANY:
            element.listeners = listeners = dict.fromkeys(listeners)
        listeners[listener] = None
    element.context = None
    if not listener.weak:
        element.interest += 1
        if element.ref is not None and element.ref.hooks is not None:
            tell_user(element, Event.ADD_LISTENER)
        activate(element)


def remove_listener(element: Element, listener: Any, *, was_active: bool) -> None:
    """Remove a listener; an element that is no longer used is disposed."""
    listeners = element.listeners
    if type(listeners) is tuple:
        element.listeners = tuple([other for other in element.listeners if other is not listener])
    else:
        many = cast("dict[Any, None]", listeners)
        many.pop(listener, None)
        if len(many) < MANY:
            element.listeners = tuple(many)
    element.context = None
    if not listener.weak:
        element.interest -= 1
        if was_active:
            deactivate(element)
        if element.ref is not None and element.ref.hooks is not None:
            tell_user(element, Event.REMOVE_LISTENER)
        request_disposal(element)


def context_of(element: Element) -> Context | None:
    """Return the context of the first active listener, or that of the last one if all are weak or paused."""
    context = None
    for listener in element.listeners:
        context = listener.context
        if not (listener.weak or listener.is_paused):
            break
    element.context = context
    return context


def activate(element: Element) -> None:
    """Count one more active user; the first one resumes the element and all it depends on."""
    todo = [element]
    while todo:
        node = todo.pop()
        node.active += 1
        if node.active == 1:
            todo.extend(node.sources)
            hooks = None if node.ref is None else node.ref.hooks
            if hooks is not None:
                if hooks.cancelled_once:
                    tell_user(node, Event.RESUME)
                todo.extend(hooks.resume())
            if node.flow is not None:
                node.flow.resume()


def deactivate(element: Element) -> None:
    """Count one active user less; after the last one the element and all it depends on are paused."""
    todo = [element]
    released: list[Element] | None = None
    while todo:
        node = todo.pop()
        node.active -= 1
        if node.active == 0:
            todo.extend(node.sources)
            hooks = None if node.ref is None else node.ref.hooks
            if hooks is not None:
                hooks.cancelled_once = True
                tell_user(node, Event.CANCEL)
                todo.extend(hooks.pause())
            if node.flow is not None and (held := node.flow.pause()):
                # Collected, not released one inside the other: each may hold the next one of a long chain.
                released = [] if released is None else released
                for source, was_active in held:
                    source.interest -= 1
                    released.append(source)
                    if was_active:
                        todo.append(source)
    for source in released or ():
        request_disposal(source)


def pause_if_unused(element: Element) -> None:
    """Pause what a build listens to if its provider has no active user now that it is built."""
    if not element.active and element.state != BUILDING and element.ref is not None and element.ref.hooks is not None:
        for source in element.ref.hooks.pause():
            deactivate(source)


def is_used(element: Element) -> bool:
    """Whether something keeps the element: an observer, a listener that is not weak, a future, a link."""
    if element.observers or element.interest:
        return True
    hooks = None if element.ref is None else element.ref.hooks
    return hooks is not None and bool(hooks.links)


def request_disposal(element: Element) -> None:
    """Have an unused element disposed: at once if it is a mere view, after a full turn if it is auto-dispose."""
    provider = element.provider
    if provider.ephemeral:
        if element.state != BUILDING and not is_used(element):
            drop_sources(element)
            element.state = DIRTY
            # This element may live on as the cause of another build. Clear its own cause, or a chain of old builds
            # stays in memory.
            element.mark = element.cause = None
            if not element.listeners:  # weak listeners are notified of the difference to the last value
                element.ref = None
                element.value = NO_VALUE
    elif provider.settings.auto_dispose and element.state != DISPOSED and not is_used(element):
        scheduler = element.host.scheduler
        hooks = None if element.ref is None else element.ref.hooks
        if hooks is not None and hooks.cache_time is not None:
            _keep_for(element, hooks, hooks.cache_time)
            return
        scheduler.disposals.append(element)
        if not scheduler.depth:
            scheduler.request()


def _keep_for(element: Element, hooks: Hooks, seconds: float) -> None:
    """Keep an unused element for some time, counted from now."""
    scheduler = element.host.scheduler

    def over() -> None:
        hooks.cache_timer = None
        if not is_used(element):
            scheduler.disposals.append(element)
            if not scheduler.depth:
                scheduler.request()

    if hooks.cache_timer is not None:
        hooks.cache_timer.cancel()
    hooks.cache_timer = scheduler.loops.timers.start(seconds, over)
    if hooks.cache_timer is None:
        scheduler.loops.call_in_next_loop(element, partial(request_disposal, element))
        element.host.report(
            NoEventLoopError(element.provider, "cache_for needs one to measure the time."), element.provider
        )


def drop_sources(element: Element) -> None:
    """Unlink everything that the element has read."""
    sources, element.sources = element.sources, ()
    for source in sources:
        unlink(source, element)

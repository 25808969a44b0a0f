"""The edges between nodes: who observes whom, and which of them is in use.

A node is *active* while somebody active observes it, an unpaused listener listens, or someone awaits its
future. Becoming active or inactive spreads along the sources, without recursion.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from functools import partial
from typing import Any, Final, cast

from ..errors import NoEventLoopError
from ..lifecycle.callbacks import call
from ..lifecycle.hooks import Event, Hooks
from ..values.history import PLAIN, change_of
from .element import NO_VALUE, Change, Element
from .node_states import BUILDING, CHECK, DIRTY, DISPOSED

UNSEEN: Final = object()
"""What no node holds."""


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
    tell_user(source, Event.REMOVE_LISTENER)
    dispose_when_unused(source)


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
        tell_user(element, Event.ADD_LISTENER)
        activate(element)


def remove_listener(element: Element, listener: Any, *, was_active: bool) -> None:
    """Remove a listener; an element that is no longer used is disposed."""
    listeners = element.listeners
    if type(listeners) is tuple:
        element.listeners = tuple(other for other in element.listeners if other is not listener)
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
        tell_user(element, Event.REMOVE_LISTENER)
        dispose_when_unused(element)


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
        dispose_when_unused(source)


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


def dispose_when_unused(element: Element) -> None:
    """Have an unused element disposed: at once if it is a mere view, after a full turn if it is auto-dispose."""
    provider = element.provider
    if provider.ephemeral:
        if element.state != BUILDING and not is_used(element):
            drop_sources(element)
            element.state = DIRTY
            # What is left may be some build's cause: it must not hold the build that used it, which has a cause, too.
            element.mark = element.cause = None
            if not element.listeners:  # weak listeners are told what differs from what they know
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
    hooks.cache_timer = scheduler.timers.start(seconds, over)
    if hooks.cache_timer is None:
        scheduler.in_next_loop[element] = partial(dispose_when_unused, element)
        element.host.report(
            NoEventLoopError(element.provider, "cache_for needs one to measure the time."), element.provider
        )


def relink(element: Element) -> None:
    """Replace the sources of the last build by those of the one that has just run."""
    old = element.sources
    kept = element.idx
    fresh = element.fresh
    element.fresh = None
    new = old[:kept] if fresh is None else (*old[:kept], *fresh)
    element.sources = new
    known = False
    if fresh is not None:
        for source in fresh:
            if source.observers is None and not element.active and (source.ref is None or source.ref.hooks is None):
                source.observers = (element,)  # link(), for the common case
            elif not link(source, element):
                known = True
    if known or kept < len(old):
        unique = dict.fromkeys(new)
        if len(unique) < len(new):
            # Watched twice by this build: another build had taken its mark meanwhile.
            element.sources = tuple(unique)
        flow = element.flow
        for source in old[kept:]:
            if source not in unique:
                if flow is not None and flow.building:
                    flow.hold(source)
                unlink(source, element)


def add_source(element: Element, source: Element) -> None:
    """Link one more source."""
    element.host.edges_moved = True
    element.sources = (*element.sources, source)
    link(source, element)


def forget_last(element: Element, source: Element) -> None:
    """Take back that a build has read a source, if that is what it read last."""
    if element.fresh is not None:
        if element.fresh and element.fresh[-1] is source:
            element.fresh.pop()
            source.mark = None
    elif element.idx and element.sources[element.idx - 1] is source:
        element.idx -= 1
        element.fresh = []
        source.mark = None


def path_to(start: Element, goal: Element) -> list[Element] | None:
    """Return a path along sources, both ends included, or None if ``start`` does not depend on ``goal``."""
    came_from: dict[Element, Element | None] = {start: None}
    todo = [start]
    while todo:
        node = todo.pop()
        if node is goal:
            path = [node]
            while (previous := came_from[path[-1]]) is not None:
                path.append(previous)
            return path[::-1]
        for source in node.sources:
            if source not in came_from:
                came_from[source] = node
                todo.append(source)
    return None


def users_first(nodes: list[Element]) -> list[Element]:
    """Order the nodes of a container for disposal: each after those that use it, else as given."""
    readers: dict[Element, list[Element]] = {}
    for node in nodes:
        if node.ref is not None and node.ref.reads:
            for source in node.ref.reads:
                readers.setdefault(source, []).append(node)
    ordered: dict[Element, None] = {}
    opened: set[Element] = set()
    for start in nodes:
        todo = [start]
        while todo:
            node = todo[-1]
            if node not in opened:
                opened.add(node)
                users = node.observers or ()
                if node in readers:
                    users = (*users, *readers[node])
                todo.extend(user for user in users if user not in opened)
            else:
                todo.pop()
                ordered[node] = None
    return [node for node in ordered if not node.provider.ephemeral]


def named(nodes: list[Element]) -> list[Any]:
    """Return the providers of nodes, without the views that were made on the spot."""
    return [node.provider for node in nodes if not node.provider.ephemeral]


def drop_sources(element: Element) -> None:
    """Unlink everything that the element has read."""
    sources, element.sources = element.sources, ()
    for source in sources:
        unlink(source, element)


def mark(changed: Element, previous: object, seen: Any = UNSEEN) -> None:
    """Mark the observers of a changed node DIRTY and everything behind them CHECK; queue what has listeners.

    Observers that hold ``seen`` are left alone: that is all they would take from the change, and they have it.
    """
    scheduler = changed.host.scheduler
    scheduler.changes += 1
    queue = scheduler.queue
    value = changed.value
    kind = type(previous)
    if kind is type(value) and kind in PLAIN:
        cause: Change = (changed.provider, previous, value)  # change_of(), inlined for the usual case
    else:
        cause = change_of(changed, previous, value)
    todo: list[Any] = []
    observers = changed.observers
    if seen is not UNSEEN:
        observers = [node for node in observers if node.value is not seen]
    for node in observers:
        state = node.state
        if state < DIRTY:
            node.state = DIRTY
            node.cause = cause
            if state <= 0:
                if node.listeners:
                    queue.append(node)
                if node.observers:
                    todo.append(node.observers)
    if todo:
        _mark_behind(todo, queue)


def mark_maybe(element: Element) -> None:
    """Mark everything behind an invalidated node CHECK; queue what has listeners."""
    if element.observers:
        element.host.scheduler.changes += 1
        _mark_behind([element.observers], element.host.scheduler.queue)


def _mark_behind(todo: list[Any], queue: list[Element]) -> None:
    while todo:
        for node in todo.pop():
            if node.state <= 0:
                node.state = CHECK
                if node.listeners:
                    queue.append(node)
                if node.observers:
                    todo.append(node.observers)

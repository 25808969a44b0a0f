"""Explanation of a provider: the reason of its last build, its dependencies and its dependents."""

from __future__ import annotations

from typing import Any

import attrs

from tetherpy.errors import clause

from ..values.summary import brief
from .element import NO_VALUE, Change, Element
from .invalidation import Invalidation
from .node_states import NAMES


@attrs.frozen
class Explanation:
    """The result of ``container.explain``; ``str()`` of it is a readable paragraph.

    Attributes:
        provider: the provider.
        reason: why it was last built, as text.
        changed: the dependency whose change rebuilt it, or None.
        watches: the providers that its last build has read.
        watched_by: the providers that have read it.
        scope: the name of the scope of the container that it lives in, or None.
        listeners: how many listeners outside the graph it has, those of its views (``select``, ``future``) included.
        state: one of ``NAMES`` in ``node_states``: CLEAN, FAILED, or DIRTY and CHECK, which a read may rebuild.
        holds: its value or error as a short text.
    """

    provider: Any
    reason: str
    changed: Any
    watches: tuple[Any, ...]
    watched_by: tuple[Any, ...]
    listeners: int
    state: str
    holds: str
    scope: str | None = None

    def __str__(self) -> str:
        lines = [f"{brief(self.provider)} was last built because of {clause(self.reason)}."]
        for title, providers in (("watches", self.watches), ("is watched by", self.watched_by)):
            names = ", ".join(map(brief, providers)) or "nothing"
            lines.append(f"  It {title} {names}.")
        lines.append(f"  Listeners outside the graph: {self.listeners}.")
        if self.scope is not None:
            lines.append(f"  It lives in the scope {self.scope!r}.")
        lines.append(f"  It is {self.state} and holds {self.holds}.")
        return "\n".join(lines)


def explain(element: Element) -> Explanation:
    """Describe an element that has been built at least once."""
    cause = element.ref.cause
    changed = None
    if cause is None:
        reason = "its first read"
    elif isinstance(cause, Invalidation):
        reason = f"{cause.by}"
    else:
        changed, before, after = _change(cause)
        reason = f"a change of {brief(changed)} from {before} to {after}"
    return Explanation(
        provider=element.provider,
        reason=reason,
        changed=changed,
        watches=tuple(_each(provider for source in element.sources for provider in _origins(source))),
        watched_by=tuple(_each(provider for user in element.observers or () for provider in _users(user))),
        listeners=_listeners(element),
        state=NAMES[element.state],
        holds=_content(element),
        scope=element.host.scope,
    )


def _content(element: Element) -> str:
    if element.failure is not None:
        return f"the error {brief(element.failure)}"
    return "nothing" if element.value is NO_VALUE else brief(element.value)


def _listeners(element: Element) -> int:
    views = (user for user in element.observers or () if user.provider.ephemeral)
    return len(element.listeners) + sum(map(_listeners, views))


def _origins(element: Element) -> list[Any]:
    """Return the provider of an element, or for a view the providers that it reads."""
    if not element.provider.ephemeral:
        return [element.provider]
    return [provider for source in element.sources for provider in _origins(source)] or [element.provider]


def _users(element: Element) -> list[Any]:
    if not element.provider.ephemeral:
        return [element.provider]
    return [provider for user in element.observers or () for provider in _users(user)]


def _each(providers: Any) -> dict[Any, None]:
    return dict.fromkeys(providers)


def _change(cause: Change) -> tuple[Any, str, str]:
    listenable, previous, value = cause
    return listenable.origin, "no value" if previous is NO_VALUE else brief(previous), brief(value)

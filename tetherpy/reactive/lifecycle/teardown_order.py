"""Keep the teardowns that wait for something asynchronous, and the order among them.

Users end before their dependencies, a build before the next build of the same provider, and the providers of a child
container before those of its parent. Unrelated teardowns run concurrently.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Iterable
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from .context_managers import Unwinding
from .running_loop import running_loop


class Host(Protocol):
    """The part of a container that a teardown uses."""

    closing: bool
    unwinding: Unwinding | None
    scheduler: Any

    @property
    def parent(self) -> Any:
        """The parent container, None for a root."""
        ...

    def report(self, error: BaseException, provider: object) -> None:
        """Report an error that no caller can see."""
        ...

    def in_background(self, work: Awaitable[object], provider: object) -> None:
        """Run asynchronous work that the container waits for when it is closed."""
        ...


class Node(Protocol):
    """The part of an element that a teardown uses."""

    host: Any
    provider: Any
    ref: Any
    sources: tuple[Any, ...]


Key: TypeAlias = tuple[object, object]
"""A container and a provider: identifies the successive elements of the provider in the container."""


class Waiting(Protocol):
    """A teardown that waits for something asynchronous."""

    host: Host
    key: Key
    loop: AbstractEventLoop | None
    """The loop in which it waits."""

    def resume(self) -> None:
        """Continue in the current loop, if its loop has ended."""
        ...


W = TypeVar("W", bound=Waiting)


class Teardowns(Generic[W]):
    """The teardowns of a tree of containers that wait for something asynchronous."""

    __slots__ = ("_by_key", "pending")

    def __init__(self) -> None:
        #: The teardowns that must end before the provider of the key can end or be rebuilt.
        self._by_key: dict[Key, dict[W, None]] = {}
        self.pending: dict[W, None] = {}

    def before_end(self, element: Node) -> list[W]:
        """Return the teardowns that an element waits for: of its users, its former builds, and child containers."""
        found = dict(self._by_key.get(key_of(element), {}))
        host = element.host
        if host.closing:
            found.update(dict.fromkeys(teardown for teardown in self.pending if is_below(teardown.host, host)))
        return _in_this_loop(found)

    def before_build(self, element: Node) -> list[W]:
        """Return the teardowns of a provider's former builds."""
        if not self.pending:
            return []
        key = key_of(element)
        return _in_this_loop(teardown for teardown in self._by_key.get(key, ()) if teardown.key == key)

    def resume(self) -> None:
        """Continue the teardowns whose loop has ended."""
        for teardown in tuple(self.pending):
            teardown.resume()

    def add(self, teardown: W, keys: Iterable[Key]) -> None:
        """Make the providers of these keys wait for a teardown."""
        self.pending[teardown] = None
        for key in keys:
            self._by_key.setdefault(key, {})[teardown] = None

    def remove(self, teardown: W, keys: Iterable[Key]) -> None:
        """Remove a teardown; the providers of these keys no longer wait for it."""
        self.pending.pop(teardown, None)
        for key in keys:
            waiting = self._by_key.get(key)
            if waiting is not None:
                waiting.pop(teardown, None)
                if not waiting:
                    del self._by_key[key]


def key_of(element: Node) -> Key:
    """Return the key of an element, which elements that replace it share."""
    return element.host, element.provider


def keys_used_by(element: Node, ref: Any) -> list[Key]:
    """Return the keys of the direct and indirect dependencies of a build."""
    found: dict[Node, None] = {}
    todo = [*element.sources, *((ref.reads or ()) if ref is not None else ())]
    while todo:
        source = todo.pop()
        if source not in found:
            found[source] = None
            todo.extend(source.sources)
            if source.ref is not None:
                todo.extend(source.ref.reads or ())
    return [key_of(source) for source in found if not source.provider.ephemeral]


def _in_this_loop(teardowns: Iterable[W]) -> list[W]:
    """Return the teardowns of the current loop; those of former loops may never continue."""
    loop = running_loop()
    return [teardown for teardown in teardowns if teardown.loop is loop]


def is_below(host: Host, other: Host) -> bool:
    """Return whether a container is a direct or indirect child of another."""
    above = host.parent
    while above is not None:
        if above is other:
            return True
        above = above.parent
    return False

"""Private descriptors: they are closed in children made with ``os.fork``.

A lock, a listening socket or the end of a pipe shows that one process is alive. If a forked child kept a copy, the
process would still look alive after its end. In the child each of them is replaced by ``/dev/null``: the number stays
in use, so that an object of the parent that closes it in the child is harmless.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

#: Each descriptor with the identity of its file: a descriptor that was closed elsewhere may belong to another file.
_private: dict[int, tuple[int, int]] = {}
_changing = threading.RLock()


def open_private(opener: Callable[[], int]) -> int:
    """Open a descriptor that forked children do not keep, until ``close_private``."""
    with _changing:
        descriptor = opener()
        _private[descriptor] = _identity(descriptor)
        return descriptor


def open_private_pipe() -> tuple[int, int]:
    """Open a pipe, both ends private: reading end, writing end."""
    with _changing:
        ends = os.pipe()
        _private.update((end, _identity(end)) for end in ends)
        return ends


def disown(descriptor: int) -> int:
    """Make a private descriptor an ordinary one, which its next owner closes; forked children keep it from now on."""
    with _changing:
        _private.pop(descriptor, None)
        return descriptor


def close_private(descriptor: int) -> None:
    """Close a private descriptor."""
    with _changing:
        _private.pop(descriptor, None)
        os.close(descriptor)


def _drop_in_child() -> None:
    try:
        _replace_all()
    finally:
        _private.clear()
        _changing.release()


def _identity(descriptor: int) -> tuple[int, int]:
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino


def _is_same(descriptor: int, identity: tuple[int, int]) -> bool:
    try:
        return _identity(descriptor) == identity
    except OSError:
        return False


def _replace_all() -> None:
    private = [descriptor for descriptor, identity in _private.items() if _is_same(descriptor, identity)]
    if not private:
        return
    try:
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        # No descriptor is free: close them without a replacement.
        for descriptor in private:
            os.close(descriptor)
        return
    for descriptor in private:
        os.dup2(nothing, descriptor, inheritable=False)
    os.close(nothing)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_changing.acquire, after_in_parent=_changing.release, after_in_child=_drop_in_child)

"""File handles that outlive the test: files, sockets, pipes."""

from __future__ import annotations

import gc
import io
import os
import socket
import tracemalloc
from typing import Any, cast

import attrs

from ..call_sites import Site
from .leak import Leak

_TABLES = ("/proc/self/fd", "/dev/fd")
"""Where a system lists the open files of a process; where it does not, nothing is checked."""


@attrs.frozen
class Handle:
    """An open descriptor and what it is open on."""

    number: int
    device: int
    inode: int


def open_handles() -> frozenset[Handle]:
    """Return the open descriptors of this process; none where the system does not list them."""
    table = next(filter(os.path.isdir, _TABLES), None)
    found: set[Handle] = set()
    for name in os.listdir(table) if table is not None else ():
        try:
            status = os.fstat(int(name))
        except OSError:
            continue  # the descriptor of the listing itself
        found.add(Handle(int(name), status.st_dev, status.st_ino))
    return frozenset(found)


def left_open(before: frozenset[Handle]) -> list[Leak]:
    """Return the handles that are open now and were not before."""
    if open_handles() <= before:
        return []
    gc.collect()  # Python itself warns about files that only the garbage collector closes
    new = open_handles() - before
    owners = _owners() if new else {}
    return [_leak(handle, owners.get(handle.number)) for handle in sorted(new, key=lambda handle: handle.number)]


def _leak(handle: Handle, owner: Any) -> Leak:
    return Leak(
        "file",
        f"{_name(handle.number)} (descriptor {handle.number})" + (f", open as {owner!r}" if owner is not None else ""),
        _allocation(owner),
        "Close it: `with open(...)`, or ref.enter in a provider."
        + ("" if tracemalloc.is_tracing() else " Run `python -X tracemalloc -m pytest` to see where it was opened."),
    )


def _name(number: int) -> str:
    try:
        return os.readlink(f"{_TABLES[0]}/{number}")
    except OSError:
        return "a file"


def _owners() -> dict[int, Any]:
    owners: dict[int, Any] = {}
    for thing in gc.get_objects():
        # By its own type: asking a proxy for its class might run code of the app.
        if issubclass(cast("type[object]", type(thing)), (io.FileIO, socket.socket)):
            try:
                owners[thing.fileno()] = thing
            except (OSError, ValueError):
                continue  # closed
    return owners


def _allocation(owner: Any) -> Site | None:
    trace = None if owner is None else tracemalloc.get_object_traceback(owner)
    return Site(trace[-1].filename, trace[-1].lineno) if trace else None

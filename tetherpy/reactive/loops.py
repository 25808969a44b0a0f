"""The running event loop of this thread, if there is one."""

from __future__ import annotations

# asyncio documents it ("returns the running event loop or None") and, unlike get_running_loop, it does not
# raise, which matters once per change in scripts without a loop.
from asyncio import _get_running_loop as running_loop  # pyright: ignore[reportPrivateUsage]

__all__ = ["running_loop"]

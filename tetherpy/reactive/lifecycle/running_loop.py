"""The running event loop of this thread, if there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

running_loop: Final[Callable[[], asyncio.AbstractEventLoop | None]] = asyncio._get_running_loop  # pyright: ignore[reportPrivateUsage]
"""Return the running event loop of this thread, or None.

asyncio documents this function; ``get_running_loop`` raises instead, which costs ten times as much.
"""

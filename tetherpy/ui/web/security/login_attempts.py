"""Rate limit of login attempts."""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable

import attrs
from starlette.requests import HTTPConnection

AT_ONCE = 15
"""Wrong tokens of one address before the limit applies."""
PAUSE_SECONDS = 6.0
"""Seconds for each further attempt."""
MAX_ADDRESSES = 10_000


@attrs.define(eq=False)
class LoginAttempts:
    """Counts the wrong tokens of each address; after ``AT_ONCE`` its tokens are rejected without a check for a while.

    A right token is rejected too; otherwise an attacker could continue to guess. Sessions are not affected.
    """

    clock: Callable[[], float] = time.monotonic
    _free_at: dict[str, float] = attrs.field(init=False, factory=dict[str, float])
    """When the attempts of each address expire."""

    def pause(self, connection: HTTPConnection) -> int:
        """Return the seconds until the sender's next token is checked; 0 for now."""
        now = self.clock()
        left = self._free_at.get(_address(connection), now) - now
        return max(0, math.ceil(left - (AT_ONCE - 1) * PAUSE_SECONDS))

    def note(self, connection: HTTPConnection) -> None:
        """Count a wrong token."""
        address, now = _address(connection), self.clock()
        free_at = max(self._free_at.pop(address, now), now) + PAUSE_SECONDS
        if len(self._free_at) >= MAX_ADDRESSES:
            self._free_at = {each: at for each, at in self._free_at.items() if at > now}
        if len(self._free_at) >= MAX_ADDRESSES:
            del self._free_at[next(iter(self._free_at))]
        self._free_at[address] = free_at

    def forget_one(self, connection: HTTPConnection) -> None:
        """Undo one ``note``, for a sender who is admitted for another reason."""
        address = _address(connection)
        if address in self._free_at:
            self._free_at[address] -= PAUSE_SECONDS


def _address(connection: HTTPConnection) -> str:
    """Return the IPv4 address, or the /64 network of an IPv6 address, within which a sender can change addresses."""
    host = "" if connection.client is None else connection.client.host
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))

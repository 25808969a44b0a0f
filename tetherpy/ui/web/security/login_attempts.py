"""A bound on how fast somebody can try tokens."""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable

import attrs
from starlette.requests import HTTPConnection

AT_ONCE = 15
"""Wrong tokens of one address that are answered without a pause."""
PAUSE_SECONDS = 6.0
"""After that one more is answered in this time."""
MAX_ADDRESSES = 10_000


@attrs.define(eq=False)
class LoginAttempts:
    """Count the wrong tokens of each address; after ``AT_ONCE`` none of its tokens is looked at for a while.

    A right token is refused as well then: otherwise there would be no bound. Sessions are not affected.
    """

    clock: Callable[[], float] = time.monotonic
    _free_at: dict[str, float] = attrs.field(init=False, factory=dict[str, float])
    """When the guesses of an address will all be forgotten."""

    def pause(self, connection: HTTPConnection) -> int:
        """Return for how many seconds no token of the sender is looked at; 0 if the next one is."""
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

    def take_back(self, connection: HTTPConnection) -> None:
        """Forget one token that ``note`` counted: its sender is welcome for another reason."""
        address = _address(connection)
        if address in self._free_at:
            self._free_at[address] -= PAUSE_SECONDS


def _address(connection: HTTPConnection) -> str:
    """Return what one sender can hardly change: an IPv4 address, or the network of an IPv6 address."""
    host = "" if connection.client is None else connection.client.host
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))

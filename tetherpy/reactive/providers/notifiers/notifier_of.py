"""The ``notifier`` of a provider as a listenable."""

from __future__ import annotations

from typing import Any, TypeVar

from ...errors import ProviderError
from ...graph.element import Build, Element, Host
from ...graph.listenable import Refreshable, View
from ...graph.updates.read import read, refresh
from ...graph.updates.watch import depend_on
from ...graph.users import request_disposal
from ..provider import ProviderBase

N = TypeVar("N")


class NotifierOf(View[ProviderBase[Any], N], Refreshable[N]):
    """The notifier of a provider; it stays the same through rebuilds, so watching it does not rebuild."""

    __slots__ = ()

    part = "notifier"

    def node_in(self, host: Host) -> Element:
        """Return a node whose value is the notifier, built first if needed."""
        source = host.find(self._source)

        def current(build: Build) -> N:
            try:
                depend_on(build.element, source)
            except ProviderError:
                # After a failed build the notifier still works, so that its methods can try again.
                if source.notifier is None:
                    raise
            return _notifier_of(source)  # type: ignore[no-any-return]  # the provider is declared with a function that returns N

        return Element(host, self, current)

    def read_in(self, host: Host) -> N:
        """Return the notifier, building the provider first if needed."""
        element = host.find(self._source)
        if element.state > 0:
            refresh(element)
        if element.notifier is None:
            read(element)
        request_disposal(element)
        return _notifier_of(element)  # type: ignore[no-any-return]  # the provider is declared with a function that returns N


def _notifier_of(element: Element) -> Any:
    if element.notifier is None:
        # If an asynchronous provider could not create its notifier, its state holds the error; the element has none.
        raise ProviderError(element.provider, element.value.error)
    return element.notifier

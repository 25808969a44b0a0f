"""Families of notifier providers."""

from __future__ import annotations

from typing import Any, Generic, ParamSpec, TypeVar

from ...container.overrides import Override
from ..declaration import check_replacement
from ..provider import Family

P = ParamSpec("P")
C = TypeVar("C")
B = TypeVar("B")
T_co = TypeVar("T_co", covariant=True)


class NotifierFamily(Family[P, C, T_co], Generic[P, C, T_co, B]):
    """A family of notifier providers."""

    __slots__ = ()

    def override_with_build(self, build: B) -> Override:
        """Return an override of only the ``build`` of every member, with ``build(ref, notifier)``.

        The constructor of the notifier still gets the arguments of the member.

        Raises:
            NotCallableError: ``build`` cannot be called.
            DeclarationError: ``build`` has a ``yield``.
        """
        return build_override(self, build, streams=self.streams)


def build_override(origin: Any, build: Any, *, streams: bool) -> Override:
    """Return an override of the ``build`` of a notifier provider, or of all members of a family.

    Raises:
        NotCallableError: ``build`` cannot be called.
        DeclarationError: ``build`` has a ``yield``.
    """
    check_replacement(origin, build, streams=streams)
    return Override(origin, lambda element, provider: provider.attach_build(element, build))

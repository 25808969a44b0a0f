"""Families of notifiers, whose ``build`` can be overridden for all members at once."""

from __future__ import annotations

from typing import Any, Generic, ParamSpec, TypeVar

from ...container.overrides import Override
from ...errors import NotCallableError
from ..declaration import check_create
from ..provider import Family

P = ParamSpec("P")
C = TypeVar("C")
B = TypeVar("B")
T_co = TypeVar("T_co", covariant=True)


class NotifierFamily(Family[P, C, T_co], Generic[P, C, T_co, B]):
    """A family of notifier providers."""

    __slots__ = ()

    def override_with_build(self, build: B) -> Override:
        """Return an override of every member's ``build`` alone: ``build(ref, notifier)``.

        The notifier has the arguments, which its constructor was given.

        Raises:
            NotCallableError: ``build`` cannot be called.
            DeclarationError: it yields.
        """
        return build_override(self, build, streams=self.streams)


def build_override(origin: Any, build: Any, *, streams: bool) -> Override:
    """Return an override of the ``build`` of a notifier provider, or of all members of a family.

    Raises:
        NotCallableError: ``build`` cannot be called.
        DeclarationError: it yields.
    """
    if not callable(build):
        raise NotCallableError(origin, build)
    check_create(origin, build, streams=streams)
    return Override(origin, lambda element, provider: provider.attach_build(element, build))

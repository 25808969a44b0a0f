"""The arguments with which a definition is enqueued, as a type."""

from __future__ import annotations

from typing import ParamSpec, Protocol, TypeVar

from .job_id import JobId

Q = ParamSpec("Q")
R_co = TypeVar("R_co", covariant=True)


class Enqueueable(Protocol[Q, R_co]):
    """A JobDefinition, seen as the arguments of its jobs.

    mypy and pyrefly infer the type of a literal before they compare it with a type variable. With this protocol they
    know the type of the payload first, and check ``{"text": "a"}`` as the TypedDict of the definition.
    """

    def _enqueue(self, *args: Q.args, **kwargs: Q.kwargs) -> JobId[R_co]: ...

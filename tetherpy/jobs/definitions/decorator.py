"""``background_job``: a definition whose types are the annotations of its handler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack, overload

import attrs

from ..model import DefinitionOptions
from .definition import FROM_HANDLER, JobDefinition
from .handler import B, Handler, P, R, S, SyncHandler


@attrs.frozen
class JobDecorator:
    """Turn a handler into a JobDefinition."""

    _definition: JobDefinition[Any, Any]

    @overload
    def __call__(self, function: Handler[S, P, R], /) -> JobDefinition[P, R]: ...
    @overload
    def __call__(self, function: SyncHandler[B, P, R], /) -> JobDefinition[P, R]: ...
    def __call__(self, function: Callable[..., Any], /) -> JobDefinition[Any, Any]:
        """Return the definition with this handler."""
        self._definition.handler(function)
        return self._definition


def background_job(job_key: str, **options: Unpack[DefinitionOptions]) -> JobDecorator:
    """Decorate a handler, which becomes a JobDefinition; the types of payload and result are its annotations.

    Use it when app and worker may import the same module; ``definition.function`` is the handler. The options are those
    of ``JobDefinition``.
    """
    return JobDecorator(JobDefinition(job_key, payload=FROM_HANDLER, result=FROM_HANDLER, **options))

"""The call of the app's initialization callback in a worker."""

from __future__ import annotations

import asyncio
import inspect
import traceback
from collections.abc import Callable
from typing import Any

from ..errors import CallbackNameError
from ..execution.service_instance import ServiceInstance
from ..execution.worker_context import WorkerContext
from ..protocol.callback_name import resolve
from ..protocol.frames import StartFailed
from ..protocol.manifest import serve_manifest
from ..protocol.settings import shown

_MAX_TRACEBACK = 32_000
"""Maximum characters of a reported traceback, from its end, so that it fits into a frame."""


async def initialize(context: WorkerContext, callback: str | Callable[..., Any]) -> bool:
    """Call the callback, a function or its name; report its failure and tell whether it succeeded."""
    name = context.config.callback
    try:
        function = resolve(callback) if isinstance(callback, str) else callback
        result = function(ServiceInstance(context))
        if inspect.isawaitable(result):
            await result
    except asyncio.CancelledError:
        raise
    except CallbackNameError as error:
        return report_failure(context, str(error), error)
    except ImportError as error:
        reason = f"importing {name!r} failed ({type(error).__name__}: {error})"
        return report_failure(context, reason, error)
    except BaseException as error:
        reason = f"the initialization callback {name} raised {type(error).__name__}: {error}"
        return report_failure(context, reason, error)
    serve_manifest(context)
    return True


def report_unusable_database(context: WorkerContext, error: BaseException) -> bool:
    """Report to the supervisor that this worker cannot use the database; return False."""
    return report_failure(context, f"its database or service folder cannot be used: {error}", error)


def report_failure(context: WorkerContext, reason: str, error: BaseException) -> bool:
    """Report to the supervisor why this worker cannot start; return False."""
    text = "".join(traceback.format_exception(error))
    context.supervisor_pipe.send(
        StartFailed(shown(reason), text[-_MAX_TRACEBACK:].encode(errors="backslashreplace").decode())
    )
    return False

"""Runs the app's initialization callback in the worker."""

from __future__ import annotations

import asyncio
import inspect
import traceback

from ..errors import CallbackNameError
from ..execution.service_instance import ServiceInstance
from ..execution.worker_context import WorkerContext
from ..protocol.callback_name import resolve
from ..protocol.frames import StartFailed
from ..protocol.manifest import answer_questions
from ..protocol.settings import shown

_MAX_TRACEBACK = 32_000
"""Characters of its end that are told; a frame has a bound."""


async def initialize(context: WorkerContext) -> bool:
    """Call the callback; report its failure to the supervisor and tell whether it succeeded."""
    name = context.config.callback
    try:
        result = resolve(name)(ServiceInstance(context))
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
    answer_questions(context)
    return True


def report_unusable_database(context: WorkerContext, error: BaseException) -> bool:
    """Tell the supervisor that this worker cannot join the others; return False."""
    return report_failure(context, f"its database or the folder beside it cannot be used: {error}", error)


def report_failure(context: WorkerContext, reason: str, error: BaseException) -> bool:
    """Tell the supervisor why this worker does not start; return False."""
    text = "".join(traceback.format_exception(error))
    context.supervisor_pipe.send(
        StartFailed(shown(reason), text[-_MAX_TRACEBACK:].encode(errors="backslashreplace").decode())
    )
    return False

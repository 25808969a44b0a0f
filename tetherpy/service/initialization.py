"""Runs the app's initialization callback in the worker."""

from __future__ import annotations

import asyncio
import inspect
import traceback

from .callback import resolve
from .context import WorkerContext
from .errors import CallbackNameError
from .instance import ServiceInstance
from .wire import StartFailed


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
        return _failed(context, str(error), error)
    except ImportError as error:
        reason = f"importing {name!r} failed ({type(error).__name__}: {error})"
        return _failed(context, reason, error)
    except BaseException as error:
        reason = f"the initialization callback {name} raised {type(error).__name__}: {error}"
        return _failed(context, reason, error)
    return True


def _failed(context: WorkerContext, reason: str, error: BaseException) -> bool:
    text = "".join(traceback.format_exception(error))
    context.channel.send(StartFailed(reason, text[-_MAX_TRACEBACK:]))
    return False


_MAX_TRACEBACK = 32_000

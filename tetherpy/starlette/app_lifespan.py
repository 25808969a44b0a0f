"""The lifespan of a web app: its container, and the workers of its service."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from starlette.applications import Starlette

from tetherpy.reactive import ProviderContainer
from tetherpy.service import BackgroundService

from .containers import APP_CONTAINER


def lifespan(
    container: ProviderContainer | Callable[[], ProviderContainer], service: BackgroundService | None = None
) -> Callable[[Starlette], AbstractAsyncContextManager[dict[str, Any]]]:
    """Return the ``lifespan=`` of an app: it opens the container, starts the service, and ends both in reverse order.

    At the shutdown of the server the workers finish their jobs (see ``stop_timeout`` of the service), unless another
    process has started them or they are detached. Then the container is closed.

    Args:
        container: the container of the app, or a function that creates it. A container can be used only in the thread
            that created it, and only once, so give a function to an app that is started several times, as in tests.
        service: the service to start.
    """

    @asynccontextmanager
    async def run(app: Starlette) -> AsyncGenerator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            opened = container if isinstance(container, ProviderContainer) else container()
            await stack.enter_async_context(opened)
            setattr(app.state, APP_CONTAINER, opened)
            stack.callback(delattr, app.state, APP_CONTAINER)
            if service is not None:
                await stack.enter_async_context(service)
            yield {APP_CONTAINER: opened}

    return run

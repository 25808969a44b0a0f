"""The health check of the dashboard, for containers and load balancers."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus

import attrs
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tetherpy.jobs import BackgroundJobManager
from tetherpy.reactive import FutureProvider, ProviderContainer

logger = logging.getLogger("tetherpy.ui")

HEALTH_PATH = "/healthz"
"""The path that is open to every host without a login: probes send an IP address in the Host header, and no token."""
TIMEOUT_SECONDS = 4.0
"""Below the usual timeout of a probe, five seconds."""
NO_JOB = 0
"""An id that no job has: reading it costs one search of an index."""


@attrs.frozen(eq=False)
class HealthCheck:
    """Answers 200 if the database of the jobs can be read, else 503; the reason is logged, not sent."""

    container: ProviderContainer
    manager: FutureProvider[BackgroundJobManager]

    async def answer(self, _: Request) -> Response:
        """Read the database once."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                manager = await self.container.read(self.manager.future)
                await manager.get_job_by_id(NO_JOB)
        except Exception:
            logger.warning("The health check failed: the database cannot be read.", exc_info=True)
            return _answer("unavailable", HTTPStatus.SERVICE_UNAVAILABLE)
        return _answer("ok", HTTPStatus.OK)


def _answer(text: str, status: HTTPStatus) -> Response:
    return PlainTextResponse(f"{text}\n", status, {"cache-control": "no-store"})

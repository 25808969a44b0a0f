"""Poll a server; pause while no one looks."""

import asyncio
from collections.abc import AsyncIterator

from examples.tasks import server
from tetherpy import Ref, StreamProvider


@StreamProvider
async def temperature_provider(ref: Ref) -> AsyncIterator[str]:
    while True:
        yield await server.answer("temperature")
        await asyncio.sleep(1)

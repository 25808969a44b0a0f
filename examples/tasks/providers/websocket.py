"""Follow a websocket, and connect again after an error."""

from collections.abc import AsyncIterator

from websockets.asyncio.client import connect

from tetherpy import Backoff, Provider, Ref, StreamProvider

url_provider = Provider(lambda ref: "ws://localhost:8000", name="url")


@StreamProvider.options(retry=Backoff(maximum=30))
async def prices_provider(ref: Ref) -> AsyncIterator[str]:
    async with connect(ref.watch(url_provider)) as socket:
        async for message in socket:
            yield str(message)

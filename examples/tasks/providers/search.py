"""Search while the user types, once the text has not changed for a moment."""

import asyncio

from examples.tasks import server
from tetherpy import FutureProvider, Ref, StateProvider

text_provider = StateProvider(lambda ref: "", name="text")


@FutureProvider
async def results_provider(ref: Ref) -> str:
    text = ref.watch(text_provider)
    await asyncio.sleep(0.3)
    return await server.answer(text)

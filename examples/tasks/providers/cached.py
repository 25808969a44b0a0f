"""Fetch data for an argument, and keep it for a minute after its last use."""

from examples.tasks import server
from tetherpy import FutureProvider, Ref


@FutureProvider.auto_dispose.family
async def user_provider(ref: Ref, user_id: int) -> str:
    ref.cache_for(60)
    return await server.answer(f"user {user_id}")

"""Cancel a request when its argument changes, or when no one waits for it any longer."""

from examples.tasks import server
from tetherpy import FutureProvider, Ref


@FutureProvider.auto_dispose.family
async def report_provider(ref: Ref, year: int) -> str:
    return await server.answer(f"report {year}")

"""Start the worker with a FastAPI app, and let running jobs finish at its shutdown."""

from typing import Annotated

from fastapi import Depends, FastAPI

from tetherpy import BackgroundJobManager, BackgroundService, FutureProvider, ProviderContainer, Ref
from tetherpy.fastapi import lifespan, watch

from .define import greet


@FutureProvider
async def manager_provider(ref: Ref) -> BackgroundJobManager:
    return await ref.enter_async(BackgroundJobManager.open("app.db"))


service = BackgroundService("app.db", "examples.tasks.jobs.worker:initialize", stop_timeout=30)
app = FastAPI(lifespan=lifespan(ProviderContainer, service))
Manager = Annotated[BackgroundJobManager, Depends(watch(manager_provider))]


@app.post("/greetings/{name}")
async def create(name: str, manager: Manager) -> int:
    return await manager.enqueue(greet, name)

"""Enqueue many jobs at once."""

from tetherpy import BackgroundJobManager, JobId

from .define import greet


async def invite(manager: BackgroundJobManager, names: list[str]) -> list[JobId[str]]:
    return await manager.enqueue_many(greet.new(name) for name in names)

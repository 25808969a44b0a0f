"""Share an HTTP client between the jobs of a worker, and give each job a database session."""

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from tetherpy import FutureProvider, Ref, ServiceInstance, SqlDatabase, background_job

sessions = async_sessionmaker(create_async_engine("sqlite+aiosqlite:///shop.db"))


@FutureProvider.options(scope="worker")
async def client_provider(ref: Ref) -> httpx.AsyncClient:
    return await ref.enter_async(httpx.AsyncClient())


@FutureProvider.options(scope="job")
async def session_provider(ref: Ref) -> AsyncSession:
    return await ref.enter_async(sessions.begin())


@background_job("download", max_attempts=1)
async def download(service: ServiceInstance, payload: str, db: SqlDatabase) -> None:
    async with service.job_container() as container:
        client = await container.read(client_provider.future)
        session = await container.read(session_provider.future)
        page = await client.get(payload)
        await session.execute(text("INSERT INTO pages (text) VALUES (:text)"), {"text": page.text})
        page.raise_for_status()

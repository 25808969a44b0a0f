"""Store an order and enqueue its receipt in one transaction of the app."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from tetherpy import BackgroundJobManager, ServiceInstance, SqlDatabase, background_job


@background_job("receipt")
async def send_receipt(service: ServiceInstance, payload: str, db: SqlDatabase) -> None: ...


async def order(manager: BackgroundJobManager, session: AsyncSession, item: str) -> None:
    async with session.begin():
        await manager.enqueue(send_receipt, item, transaction=session)
        await session.execute(text("INSERT INTO orders (item) VALUES (:item)"), {"item": item})

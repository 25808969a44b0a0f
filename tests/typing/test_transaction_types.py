"""What type checkers accept as ``transaction=``; checked by mypy --strict and pyright strict, never run."""
# pyright: strict

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, assert_type

import aiosqlite
import psycopg
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import Session

from tetherpy import (
    AppTransaction,
    BackgroundJobManager,
    Database,
    NewJob,
    ServiceInstance,
    SqlDatabase,
    SqlExecuted,
    SqlRow,
    Transaction,
)
from tetherpy.database import PostgresTransaction


async def accepted(
    manager: BackgroundJobManager,
    ours: Transaction,
    on_server: PostgresTransaction,
    plain: sqlite3.Connection,
    thread: aiosqlite.Connection,
    session: Session,
    async_session: AsyncSession,
    connection: Connection,
    async_connection: AsyncConnection,
    driver: psycopg.Connection[Any],
    async_driver: psycopg.AsyncConnection[Any],
) -> None:
    accepted: list[AppTransaction] = [
        ours, on_server, plain, thread, session, async_session, connection, async_connection, driver, async_driver,
    ]  # fmt: skip
    for transaction in accepted:
        await manager.enqueue("k", transaction=transaction)
        await manager.enqueue_many([NewJob(job_key="k")], transaction=transaction)


async def of_any_database(manager: BackgroundJobManager, service: ServiceInstance, db: SqlDatabase) -> None:
    async with db.transaction() as transaction:
        await manager.enqueue("k", transaction=transaction)
        await service.complete(transaction=transaction)
        executed = await transaction.execute("UPDATE orders SET paid = 1 RETURNING id")
        assert_type(executed, SqlExecuted)
        assert_type(executed.rowcount, int)
        assert_type(executed.rows, Sequence[SqlRow])


async def refused(manager: BackgroundJobManager, db: Database) -> None:
    await manager.enqueue_many([], transaction=db)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await manager.enqueue_many([], transaction="tx")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def opened() -> None:
    async with BackgroundJobManager.open("app.db") as manager:
        assert_type(manager, BackgroundJobManager)
        assert_type(manager.database, SqlDatabase)
